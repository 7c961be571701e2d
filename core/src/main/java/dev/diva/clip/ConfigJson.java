package dev.diva.clip;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * An object of a JSON config file that knows where it stands, for messages.
 *
 * @param node the object, or a missing node
 * @param location file and key
 */
record ConfigJson(JsonNode node, String location) {
    static ConfigJson read(Path file) {
        try {
            JsonNode node = new ObjectMapper().readTree(Files.readAllBytes(file));
            if (node == null || !node.isObject()) {
                throw new BadInputException(file + ": not a JSON object");
            }
            return new ConfigJson(node, file.toString());
        } catch (JsonProcessingException e) {
            throw new BadInputException(file + ": not JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    boolean has(String key) {
        return node.hasNonNull(key);
    }

    ConfigJson at(String key) {
        return new ConfigJson(node.path(key), location + ": " + key);
    }

    long number(String key, long whenAbsent) {
        JsonNode value = node.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return whenAbsent;
        }
        if (!value.isIntegralNumber() || value.asLong() < 0) {
            throw wrong(key, "a whole number");
        }
        return value.asLong();
    }

    double fraction(String key, double whenAbsent) {
        JsonNode value = node.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return whenAbsent;
        }
        if (!value.isNumber()) {
            throw wrong(key, "a number");
        }
        return value.asDouble();
    }

    boolean flag(String key, boolean whenAbsent) {
        JsonNode value = node.path(key);
        return value.isBoolean() ? value.asBoolean() : whenAbsent;
    }

    String text(String key, String whenAbsent) {
        JsonNode value = node.path(key);
        return value.isTextual() ? value.asText() : whenAbsent;
    }

    /** A side of a square that is written as a number, a pair, or {height, width}. */
    long side(String key, long whenAbsent) {
        JsonNode value = node.path(key);
        if (value.isArray() && value.size() == 2 && value.get(0).equals(value.get(1))) {
            return value.get(0).asLong();
        }
        if (value.isObject() && value.path("height").equals(value.path("width"))) {
            return value.path("height").asLong();
        }
        if (value.isContainerNode()) {
            throw wrong(key, "a square");
        }
        return number(key, whenAbsent);
    }

    /** Three numbers, one per channel. */
    float[] channels(String key, float[] whenAbsent) {
        JsonNode value = node.path(key);
        if (!value.isArray()) {
            return whenAbsent.clone();
        }
        if (value.size() != 3) {
            throw wrong(key, "three numbers");
        }
        return new float[] {
            (float) value.get(0).asDouble(),
            (float) value.get(1).asDouble(),
            (float) value.get(2).asDouble()
        };
    }

    private BadInputException wrong(String key, String expected) {
        return new BadInputException(location + ": " + key + " is " + node.path(key) + ", expected " + expected);
    }
}
