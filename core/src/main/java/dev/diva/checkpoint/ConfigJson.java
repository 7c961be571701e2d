package dev.diva.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.diva.BadInputException;
import dev.diva.Placeholder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.StreamSupport;

/**
 * An object of a JSON config file beside the tensors that knows where it stands, for messages. A value that is absent or null takes the
 * default that the caller names: the library's, since libraries leave defaults out of their files.
 *
 * @param node the object, or a missing node
 * @param location file and key
 */
public record ConfigJson(JsonNode node, String location) {
    /** Python writes infinities and NaN into JSON, which the standard does not know. */
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .build();

    /** Reads a whole file.
     *
     * @throws BadInputException when it is missing or no JSON object
     */
    public static ConfigJson read(Path file) {
        try {
            JsonNode node = JSON.readTree(Files.readAllBytes(file));
            if (node == null || !node.isObject()) {
                throw new BadInputException(file + ": not a JSON object");
            }
            return new ConfigJson(node, file.toString());
        } catch (JsonProcessingException e) {
            Placeholder.refuse(file);
            throw new BadInputException(file + ": not JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** Whether the key is there and not null. */
    public boolean has(String key) {
        return node.hasNonNull(key);
    }

    /** The object under a key, or one without keys. */
    public ConfigJson at(String key) {
        return new ConfigJson(node.path(key), location + ": " + key);
    }

    /** A whole number, not negative. */
    public long number(String key, long whenAbsent) {
        JsonNode value = node.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return whenAbsent;
        }
        return whole(key, value);
    }

    /** Nothing that a config counts reaches 2^31. */
    private long whole(String key, JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.asInt() < 0) {
            throw wrong(key, "a whole number below 2^31");
        }
        return value.asInt();
    }

    /** A number. */
    public double fraction(String key, double whenAbsent) {
        JsonNode value = node.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return whenAbsent;
        }
        if (!value.isNumber() || !Double.isFinite(value.asDouble())) {
            throw wrong(key, "a finite number");
        }
        return value.asDouble();
    }

    /** A number above 0. */
    public double positive(String key, double whenAbsent) {
        double value = fraction(key, whenAbsent);
        if (value <= 0) {
            throw wrong(key, "a number above 0");
        }
        return value;
    }

    /** True or false. */
    public boolean flag(String key, boolean whenAbsent) {
        if (!has(key)) {
            return whenAbsent;
        }
        if (!node.path(key).isBoolean()) {
            throw wrong(key, "true or false");
        }
        return node.path(key).asBoolean();
    }

    /** A string. */
    public String text(String key, String whenAbsent) {
        if (!has(key)) {
            return whenAbsent;
        }
        if (!node.path(key).isTextual()) {
            throw wrong(key, "a string");
        }
        return node.path(key).asText();
    }

    /** A side of a square that is written as a number, a pair, or {height, width}. */
    public long side(String key, long whenAbsent) {
        JsonNode value = node.path(key);
        if (value.isArray() && value.size() == 2 && value.get(0).equals(value.get(1))) {
            return whole(key, value.get(0));
        }
        if (value.isObject() && value.path("height").equals(value.path("width"))) {
            return whole(key, value.path("height"));
        }
        if (value.isContainerNode()) {
            throw wrong(key, "a square");
        }
        return number(key, whenAbsent);
    }

    /** Three numbers, one per channel, or one for all. */
    public float[] channels(String key, float[] whenAbsent) {
        JsonNode value = node.path(key);
        if (!has(key)) {
            return whenAbsent.clone();
        }
        if (value.isNumber()) {
            float same = (float) value.asDouble();
            return new float[] {same, same, same};
        }
        if (!value.isArray() || value.size() != 3 || !all(value, JsonNode::isNumber)) {
            throw wrong(key, "three numbers");
        }
        return new float[] {
            (float) value.get(0).asDouble(),
            (float) value.get(1).asDouble(),
            (float) value.get(2).asDouble()
        };
    }

    /**
     * A list of whole numbers, of which a file may give one for all.
     *
     * @param whenAbsent the one for all
     * @param count entries expected
     */
    public long[] numbers(String key, long whenAbsent, int count) {
        JsonNode value = node.path(key);
        if (!value.isArray()) {
            long[] same = new long[count];
            Arrays.fill(same, number(key, whenAbsent));
            return same;
        }
        if (value.size() != count || !all(value, number -> number.isIntegralNumber() && number.canConvertToInt())) {
            throw wrong(key, count + " whole numbers below 2^31");
        }
        return StreamSupport.stream(value.spliterator(), false)
                .mapToLong(JsonNode::asLong)
                .toArray();
    }

    /** A list of strings. */
    public List<String> texts(String key, List<String> whenAbsent) {
        JsonNode value = node.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return whenAbsent;
        }
        if (!value.isArray() || !all(value, JsonNode::isTextual)) {
            throw wrong(key, "a list of strings");
        }
        return StreamSupport.stream(value.spliterator(), false)
                .map(JsonNode::asText)
                .toList();
    }

    /**
     * Refuses settings that would change a computation.
     *
     * @param allowed for each key the values that do not; absent and null never do, nor does a list of such values
     */
    public void requireOnly(Map<String, Set<String>> allowed) {
        allowed.forEach((key, values) -> {
            if (has(key) && !isOneOf(values, node.path(key))) {
                throw wrong(key, values.isEmpty() ? "null" : String.join(" or ", new TreeSet<>(values)));
            }
        });
    }

    private static boolean isOneOf(Set<String> values, JsonNode value) {
        return value.isArray() ? all(value, item -> isOneOf(values, item)) : values.contains(value.asText());
    }

    /**
     * Refuses keys that the library itself would not accept.
     *
     * @param known those that it has
     */
    public void requireKnown(Predicate<String> known) {
        List<String> unknown = keysOtherThan(known);
        if (!unknown.isEmpty()) {
            throw new BadInputException(location + ": " + String.join(", ", unknown) + ": no such setting is known");
        }
    }

    /** The keys that have a value and are not of a pattern, in the order of the file. */
    public List<String> keysOtherThan(Predicate<String> known) {
        return node.properties().stream()
                .filter(entry -> !entry.getValue().isNull())
                .map(Map.Entry::getKey)
                .filter(known.negate())
                .toList();
    }

    /** What people are told of keys that are not looked at, or nothing where there are none. */
    public Optional<String> passedOver(List<String> keys) {
        return keys.isEmpty()
                ? Optional.empty()
                : Optional.of(location + ": nothing is known of " + String.join(", ", keys) + ": passed over");
    }

    private static boolean all(JsonNode array, Predicate<JsonNode> test) {
        return StreamSupport.stream(array.spliterator(), false).allMatch(test);
    }

    /** The error of a value that cannot be used. */
    public BadInputException wrong(String key, String expected) {
        return new BadInputException(location + ": " + key + " is " + node.path(key) + ", expected " + expected);
    }
}
