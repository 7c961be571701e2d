package dev.diva.clip;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.engine.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** Embeddings on disk: safetensors, or JSON where the name ends so. */
public final class EmbeddingsFile {
    private final Map<String, float[][]> rows = new LinkedHashMap<>();
    private final Map<String, long[]> rowShapes = new LinkedHashMap<>();
    private final Map<String, Object> metadata = new LinkedHashMap<>();

    /** Adds a tensor [rows, rowShape...]. */
    public EmbeddingsFile add(String name, float[][] values, long... rowShape) {
        rows.put(name, values);
        rowShapes.put(name, rowShape.clone());
        return this;
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
     * Writes all at once; what is there afterwards is complete.
     *
     * @throws BadInputException when the file exists
     */
    public void write(Path path) {
        requireAbsent(path);
        if (path.toString().endsWith(".json")) {
            Map<String, Object> all = new LinkedHashMap<>(metadata);
            all.putAll(rows);
            AtomicFile.writeString(path, json(all) + "\n");
            return;
        }
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            rows.forEach((name, values) -> tensors.put(name, tensor(values, rowShapes.get(name))));
            Map<String, String> texts = new LinkedHashMap<>();
            metadata.forEach((name, value) -> texts.put(name, value instanceof String s ? s : json(value)));
            SafetensorsWriter.write(path, tensors, texts);
        }
    }

    /** Refuses to replace a file: call it before the work is done, too. */
    public static void requireAbsent(Path path) {
        if (Files.exists(path)) {
            throw new BadInputException(path + ": exists; give another --out or remove it");
        }
    }

    private static Tensor tensor(float[][] rows, long... rowShape) {
        long[] shape = new long[rowShape.length + 1];
        shape[0] = rows.length;
        long width = 1;
        for (int i = 0; i < rowShape.length; i++) {
            shape[i + 1] = rowShape[i];
            width *= rowShape[i];
        }
        float[] values = new float[Math.toIntExact(rows.length * width)];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, values, Math.toIntExact(i * width), (int) width);
        }
        return Tensors.of(values, shape);
    }

    private static String json(Object value) {
        try {
            return new ObjectMapper().writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
