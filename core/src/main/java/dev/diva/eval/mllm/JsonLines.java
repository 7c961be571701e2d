package dev.diva.eval.mllm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.Placeholder;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Files of one JSON object a line. */
final class JsonLines {
    /** Writes ASCII, as Python's {@code json.dumps}: readers in any locale agree. */
    static final JsonMapper JSON = JsonMapper.builder()
            .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private JsonLines() {}

    /** One line. */
    record Line(Path file, int number, ObjectNode node) {
        String place() {
            return file + " line " + number;
        }

        /** A field that must be a string. */
        String text(String key) {
            JsonNode value = node.path(key);
            if (!value.isTextual()) {
                throw new BadInputException(place() + ": "
                        + (value.isMissingNode() ? "no \"" + key + "\"" : "\"" + key + "\" is no string"));
            }
            return value.textValue();
        }

        /** A field that must be a number or a string. */
        JsonNode id(String key) {
            JsonNode value = node.path(key);
            if (!value.isTextual() && !value.isIntegralNumber()) {
                throw new BadInputException(place() + ": \"" + key + "\" is neither a whole number nor a string");
            }
            return value;
        }
    }

    /** All lines; empty ones are skipped. BadInputException names the line that is no object or is cut short. */
    static List<Line> read(Path file) {
        List<Line> lines = new ArrayList<>();
        try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            int number = 0;
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                number++;
                if (!line.isBlank()) {
                    lines.add(new Line(file, number, object(line, file, number)));
                }
            }
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + reason(e), e);
        }
        if (lines.isEmpty()) {
            throw new BadInputException(file + ": no lines; expected one JSON object a line");
        }
        return lines;
    }

    static ObjectNode object(String line, Path file, int number) {
        try {
            if (JSON.readTree(line.startsWith("\uFEFF") ? line.substring(1) : line) instanceof ObjectNode object) {
                return object;
            }
        } catch (JsonProcessingException e) {
            Placeholder.refuse(file);
            throw new BadInputException(
                    file + " line " + number + ": no whole JSON object (a line cut short?): " + e.getOriginalMessage(),
                    e);
        }
        throw new BadInputException(file + " line " + number + ": expected a JSON object");
    }

    private static String reason(IOException e) {
        return e instanceof java.nio.file.NoSuchFileException
                ? "no such file"
                : e instanceof java.nio.charset.CharacterCodingException ? "not UTF-8" : String.valueOf(e.getMessage());
    }
}
