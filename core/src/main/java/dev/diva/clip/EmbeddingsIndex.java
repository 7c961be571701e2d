package dev.diva.clip;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.engine.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Exact nearest neighbours among the rows of files that {@link EmbeddingsFile} wrote: of images where a file has them, else of texts. The
 * rows stay on disk, mapped; what is added later is one file more. Safe for any number of threads.
 */
public final class EmbeddingsIndex implements AutoCloseable {
    /** Rows compared at once: with 1,024 values a row, 64 MiB in the file. */
    private static final long CHUNK = 16_384;

    private static final TypeReference<List<String>> STRINGS = new TypeReference<>() {};

    private final List<Part> parts = new ArrayList<>();

    private record Part(SafetensorsFile file, TensorInfo rows, List<String> names) {}

    /**
     * A row that was found.
     *
     * @param name path of the image, or the text
     * @param cosine similarity to the query, -1 to 1
     */
    public record Match(String name, float cosine) {}

    /**
     * Opens files that hold embeddings of one model.
     *
     * @throws BadInputException when one is no such file, or is of another model or width than the first
     */
    public EmbeddingsIndex(List<Path> files) {
        try {
            for (Path file : files) {
                parts.add(part(SafetensorsFile.open(file)));
                requireLikeFirst(parts.get(parts.size() - 1));
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private static Part part(SafetensorsFile file) {
        boolean ofImages = file.info("image_embeds") != null;
        TensorInfo rows = file.info(ofImages ? "image_embeds" : "text_embeds");
        List<String> names = names(file, ofImages ? "images" : "texts");
        if (rows == null || rows.shape().length != 2 || rows.shape()[0] != names.size()) {
            file.close();
            throw new BadInputException(
                    file.location() + ": no embeddings with a name for each row, as diva encode writes them");
        }
        return new Part(file, rows, names);
    }

    private static List<String> names(SafetensorsFile file, String key) {
        try {
            return new ObjectMapper().readValue(file.metadata().getOrDefault(key, "[]"), STRINGS);
        } catch (JsonProcessingException e) {
            throw new BadInputException(file.location() + ": " + key + " in its metadata is no list of names", e);
        }
    }

    private void requireLikeFirst(Part part) {
        Part first = parts.get(0);
        if (part.rows.shape()[1] != first.rows.shape()[1]
                || !part.file.metadata().getOrDefault("model", "").equals(model().orElse(""))) {
            throw new BadInputException(part.file.location() + ": " + part.rows.shape()[1] + " values of "
                    + part.file.metadata().get("model") + ", but " + first.file.location() + " has "
                    + first.rows.shape()[1] + " of " + model().orElse("an unnamed model"));
        }
    }

    /** The model that the files say they are of. */
    public Optional<String> model() {
        return Optional.ofNullable(parts.get(0).file.metadata().get("model"));
    }

    /** Number of rows. */
    public long size() {
        return parts.stream().mapToLong(part -> part.rows.shape()[0]).sum();
    }

    /** Values of a row. */
    public int width() {
        return Math.toIntExact(parts.get(0).rows.shape()[1]);
    }

    /** Names of the rows, in their order. */
    public List<String> names() {
        return parts.stream().flatMap(part -> part.names.stream()).toList();
    }

    /**
     * The rows most similar to a query, best first; equal ones in their order.
     *
     * @param query of {@link #width} values, of any length but 0
     * @param count at most so many
     */
    public List<Match> nearest(float[] query, int count) {
        if (query.length != width()) {
            throw new BadInputException("a query of " + query.length + " values, but rows have " + width());
        }
        List<Match> best = new ArrayList<>();
        for (Part part : parts) {
            for (long from = 0; from < part.rows.shape()[0]; from += CHUNK) {
                best.addAll(nearest(part, from, query, count));
                best.sort(Comparator.comparing(Match::cosine).reversed()); // stable
                best.subList(Math.min(count, best.size()), best.size()).clear();
            }
        }
        return best;
    }

    private static List<Match> nearest(Part part, long from, float[] query, int count) {
        try (PointerScope scope = new PointerScope()) {
            long length = Math.min(CHUNK, part.rows.shape()[0] - from);
            Tensor rows =
                    part.file.read(part.rows.name()).narrow(0, from, length).to(ScalarType.Float);
            Tensor cosines = rows.matmul(unit(Tensors.of(query, query.length))).div(norm(rows));
            float[] values = Tensors.toFloats(cosines);
            List<Integer> order = new ArrayList<>();
            for (int i = 0; i < values.length; i++) {
                order.add(i);
            }
            order.sort(Comparator.comparing((Integer i) -> values[i]).reversed());
            return order.stream()
                    .limit(count)
                    .map(i -> new Match(part.names.get(Math.toIntExact(from) + i), values[i]))
                    .toList();
        }
    }

    private static Tensor unit(Tensor x) {
        return x.div(norm(x));
    }

    private static Tensor norm(Tensor x) {
        return x.norm(new ScalarOptional(new Scalar(2.0)), new long[] {-1}, false);
    }

    @Override
    public void close() {
        parts.forEach(part -> part.file.close());
    }
}
