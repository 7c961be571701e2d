package dev.diva.clip;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.engine.Tensors;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Embeddings on disk: safetensors, or JSON, NumPy's format or Parquet where the name ends so. Rows go to a hidden file beside the target as they come, so that
 * memory does not grow with their number; the target appears complete or not at all.
 */
public final class EmbeddingsFile implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<List<String>> STRINGS = new TypeReference<>() {};

    private final Path target;
    private final Map<String, RowSpool> tensors = new LinkedHashMap<>();
    private final Map<String, Object> metadata = new LinkedHashMap<>();

    /**
     * Starts a file.
     *
     * @throws BadInputException when it exists
     */
    public EmbeddingsFile(Path target) {
        AtomicFile.requireNew(target, "--out");
        this.target = target;
        if (isNpy()) {
            NpyMatrix.requireNew(target);
        } else if (isParquet()) {
            requireParquet();
        }
    }

    private boolean isNpy() {
        return target.toString().endsWith(".npy");
    }

    /** The library of Parquet is the command line's; the class that uses it cannot even be loaded without. */
    private void requireParquet() {
        try {
            Class.forName("org.apache.parquet.hadoop.ParquetWriter");
        } catch (ClassNotFoundException e) {
            throw new BadInputException(
                    target + ": Parquet needs blue.strategic.parquet:parquet-floor on the class path; add it, or write"
                            + " .safetensors",
                    e);
        }
    }

    private boolean isParquet() {
        return target.toString().endsWith(".parquet");
    }

    /** Appends rows to the tensor [rows, rowShape...] of that name. */
    public void append(String name, float[][] rows, long... rowShape) {
        RowSpool spool = tensors.computeIfAbsent(name, n -> new RowSpool(target, rowShape));
        for (float[] row : rows) {
            spool.append(row);
        }
    }

    /**
     * Appends the rows and lists of a part that another process wrote.
     *
     * @param part safetensors of the same model and settings
     */
    public void appendPart(Path part) {
        try (SafetensorsFile file = SafetensorsFile.open(part)) {
            for (TensorInfo info : file.tensors()) {
                long[] rowShape = Arrays.copyOfRange(info.shape(), 1, info.shape().length);
                for (long row = 0; row < info.shape()[0]; row++) {
                    try (PointerScope scope = new PointerScope()) {
                        float[] values = Tensors.toFloats(file.read(info.name()).narrow(0, row, 1));
                        append(info.name(), new float[][] {values}, rowShape);
                    }
                }
            }
            for (Map.Entry<String, String> entry : file.metadata().entrySet()) {
                if (entry.getValue().startsWith("[")) {
                    metadata.merge(entry.getKey(), JSON.readValue(entry.getValue(), STRINGS), EmbeddingsFile::joined);
                }
            }
        } catch (JsonProcessingException e) {
            throw new BadInputException(part + ": no part of an embeddings file: " + e.getMessage(), e);
        }
    }

    private static Object joined(Object first, Object second) {
        return Stream.concat(((List<?>) first).stream(), ((List<?>) second).stream())
                .toList();
    }

    /** The list of that name, empty when there is none. */
    public List<String> list(String name) {
        Object value = metadata.get(name);
        return value instanceof List<?> list
                ? list.stream().map(String::valueOf).toList()
                : List.of();
    }

    /** Adds a list that names the rows. */
    public EmbeddingsFile describe(String name, List<String> values) {
        metadata.put(name, List.copyOf(values));
        return this;
    }

    /** Adds one word about all of it. */
    public EmbeddingsFile describe(String name, String value) {
        metadata.put(name, value);
        return this;
    }

    /**
     * Writes the target.
     *
     * @throws BadInputException when it cannot be written
     */
    public void finish() {
        if (target.toString().endsWith(".json")) {
            AtomicFile.writeNew(target, channel -> writeJson(JSON.createGenerator(Channels.newOutputStream(channel))));
            return;
        }
        if (isNpy()) {
            NpyMatrix.write(target, onlyMatrix(), list(tensors.containsKey("image_embeds") ? "images" : "texts"));
            return;
        }
        if (isParquet()) {
            boolean isOfImages = tensors.containsKey("image_embeds");
            Map<String, String> words = words();
            List<String> names = list(isOfImages ? "images" : "texts");
            words.keySet().removeAll(List.of("images", "texts")); // a column has them
            ParquetMatrix.write(target, onlyMatrix(), isOfImages ? "path" : "text", names, words);
            return;
        }
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> mapped = new LinkedHashMap<>();
            tensors.forEach((name, spool) -> mapped.put(name, spool.tensor()));
            SafetensorsWriter.writeNew(target, mapped, words());
        }
    }

    private Map<String, String> words() {
        Map<String, String> words = new LinkedHashMap<>();
        metadata.forEach((name, value) -> words.put(name, value instanceof String s ? s : json(value)));
        return words;
    }

    private RowSpool onlyMatrix() {
        if (tensors.size() != 1) {
            throw new BadInputException(target + ": holds one matrix, but there are " + tensors.keySet());
        }
        return tensors.values().iterator().next();
    }

    /** Removes what was kept beside the target. */
    @Override
    public void close() {
        tensors.values().forEach(RowSpool::close);
    }

    private void writeJson(JsonGenerator json) throws IOException {
        json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
        json.writeStartObject();
        for (Map.Entry<String, Object> entry : metadata.entrySet()) {
            json.writePOJOField(entry.getKey(), entry.getValue());
        }
        for (Map.Entry<String, RowSpool> entry : tensors.entrySet()) {
            json.writeArrayFieldStart(entry.getKey());
            RowSpool spool = entry.getValue();
            for (long row = 0; row < spool.rows(); row++) {
                writeRow(json, spool.row(row), spool.rowShape());
            }
            json.writeEndArray();
        }
        json.writeEndObject();
        json.writeRaw('\n');
        json.flush();
    }

    /** A row as nested arrays of its shape. */
    private static void writeRow(JsonGenerator json, float[] row, long... shape) throws IOException {
        int width = Math.toIntExact(shape[shape.length - 1]);
        boolean nested = shape.length > 1;
        if (nested) {
            json.writeStartArray();
        }
        for (int from = 0; from < row.length; from += width) {
            json.writeStartArray();
            for (int i = from; i < from + width; i++) {
                json.writeNumber(row[i]);
            }
            json.writeEndArray();
        }
        if (nested) {
            json.writeEndArray();
        }
    }

    private static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
