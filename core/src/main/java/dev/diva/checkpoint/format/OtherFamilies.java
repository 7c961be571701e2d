package dev.diva.checkpoint.format;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Relatives of CLIP that are not computed here, called by their names: the table {@code other-families.yaml}. */
final class OtherFamilies {
    private static final List<Row> ROWS = read();

    private record Row(String family, String why, String tensors, List<String> types, Pattern pattern) {
        boolean holds(TensorSource stored) {
            return pattern != null
                    && stored.tensors().stream()
                            .anyMatch(info -> pattern.matcher(info.name()).matches());
        }

        boolean isOf(String type) {
            return types != null && types.contains(type);
        }
    }

    private OtherFamilies() {}

    /**
     * Looks at the names of the tensors, and at the {@code config.json} beside them where they are not of open_clip or OpenAI.
     *
     * @throws CheckpointException that names the family and says why it is not read
     */
    static void refuse(Path file, TensorSource stored) {
        ROWS.stream().filter(row -> row.holds(stored)).findFirst().ifPresent(row -> {
            throw refused(file + ": is ", row);
        });
        Path config = file.resolveSibling("config.json");
        if (!Files.isRegularFile(config) || stored.tensors().stream().anyMatch(OtherFamilies::isVisual)) {
            return;
        }
        String type = ConfigJson.read(config).node().path("model_type").asText("");
        Optional<Row> named = ROWS.stream().filter(row -> row.isOf(type)).findFirst();
        named.ifPresent(row -> {
            throw refused(config + ": model_type is " + type + ": ", row);
        });
    }

    private static CheckpointException refused(String where, Row row) {
        return new CheckpointException(where + row.family + ", which is not computed here: " + row.why
                + "; no setting helps: choose another model");
    }

    private static boolean isVisual(TensorInfo info) {
        return info.name().contains("visual.");
    }

    private static List<Row> read() {
        try (InputStream in = OtherFamilies.class.getResourceAsStream("other-families.yaml")) {
            List<Row> rows = new ObjectMapper(new YAMLFactory()).readValue(in, new TypeReference<List<Row>>() {});
            return rows.stream()
                    .map(row -> new Row(
                            row.family,
                            row.why,
                            row.tensors,
                            row.types,
                            row.tensors == null ? null : Pattern.compile(row.tensors)))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
