package dev.diva.eval.mllm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** {@code settings.json} beside a model's answers: under what they were given, so that no others join them. */
final class AnswerSettings {
    private static final String FILE = "settings.json";

    private AnswerSettings() {}

    /**
     * Writes the settings of a model where there are none yet.
     *
     * @throws BadInputException when the answers there were given under others
     */
    static void require(Path folder, Map<String, String> settings) {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            ObjectNode node = JsonLines.JSON.createObjectNode();
            settings.forEach(node::put);
            AtomicFile.writeString(file, node.toPrettyString() + "\n");
            return;
        }
        JsonNode found = read(file);
        settings.forEach((name, value) -> {
            String before = found.path(name).asText("");
            if (!before.equals(value)) {
                throw new BadInputException(file + ": the answers here were given with " + name + " \"" + before
                        + "\", not \"" + value + "\"; give another folder for the answers");
            }
        });
    }

    private static JsonNode read(Path file) {
        try {
            return JsonLines.JSON.readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read as JSON: " + Answers.firstLine(e), e);
        }
    }
}
