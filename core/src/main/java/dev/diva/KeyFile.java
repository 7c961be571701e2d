package dev.diva;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** YAML files of keys and values, and records of them; what is wrong is told by key and value. */
public final class KeyFile {
    private static final YAMLMapper YAML = YAMLMapper.builder()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .build();
    private static final JsonMapper BINDING = JsonMapper.builder()
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    private KeyFile() {}

    /**
     * Reads a file of any keys; an empty one has none.
     *
     * @throws BadInputException when it is no YAML mapping
     */
    public static ObjectNode read(Path file) {
        try {
            JsonNode node = YAML.readTree(TextFile.read(file));
            if (node == null || node.isMissingNode() || node.isNull()) {
                return YAML.createObjectNode();
            }
            if (node instanceof ObjectNode keys) {
                return keys;
            }
            throw new BadInputException(file + ": expected keys and values");
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            throw new BadInputException(
                    file + (at == null ? "" : " line " + at.getLineNr()) + ": not YAML: "
                            + e.getOriginalMessage().lines().findFirst().orElse(""),
                    e);
        }
    }

    /**
     * Reads a file of the keys of a record.
     *
     * @throws BadInputException naming the file, the key, its value and what was expected
     */
    public static <T extends Record> T read(Path file, Class<T> type) {
        ObjectNode keys = read(file);
        List<String> known = Arrays.stream(type.getRecordComponents())
                .map(RecordComponent::getName)
                .toList();
        keys.fieldNames().forEachRemaining(key -> {
            if (!known.contains(key)) {
                throw new BadInputException(file + ": unknown key " + key + "; nearest: " + NearestName.of(key, known)
                        + "; keys: " + String.join(", ", known));
            }
        });
        return as(keys, type, file.toString());
    }

    /**
     * Keys as a record that has all of them.
     *
     * @param where named in errors: a file, or what the keys are
     * @throws BadInputException naming the key, its value and what was expected
     */
    public static <T> T as(ObjectNode keys, Class<T> type, String where) {
        try {
            return BINDING.treeToValue(keys, type);
        } catch (MismatchedInputException e) {
            throw new BadInputException(where + ": " + mismatch(keys, e), e);
        } catch (JsonMappingException e) {
            Throwable told = e.getCause();
            throw new BadInputException(where + ": " + (told == null ? e.getOriginalMessage() : told.getMessage()), e);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree is always JSON", e);
        }
    }

    private static String mismatch(ObjectNode keys, MismatchedInputException e) {
        if (e.getCause() instanceof IllegalArgumentException range) {
            return range.getMessage();
        }
        StringBuilder path = new StringBuilder();
        JsonNode value = keys;
        for (JsonMappingException.Reference reference : e.getPath()) {
            String name = reference.getFieldName();
            if (name != null) {
                path.append(path.length() == 0 ? "" : ".").append(name);
                value = value.path(name);
            }
        }
        return path + " is " + (value.isMissingNode() ? "missing" : value) + ", expected "
                + expected(e.getTargetType());
    }

    private static String expected(Class<?> type) {
        if (type == null) {
            return "another type";
        }
        if (type.isEnum()) {
            return "one of " + String.join(", ", enumNames(type));
        }
        if (Map.class.isAssignableFrom(type)) {
            return "keys and values, as {1: 2}";
        }
        return switch (type.getSimpleName()) {
            case "int", "long", "Integer", "Long" -> "a whole number";
            case "double", "Double" -> "a number";
            case "boolean" -> "true or false";
            case "List", "ArrayList" -> "a list";
            default -> "text";
        };
    }

    private static List<String> enumNames(Class<?> type) {
        List<String> names = new ArrayList<>();
        for (Object constant : type.getEnumConstants()) {
            names.add(BINDING.valueToTree(constant).asText());
        }
        return names;
    }
}
