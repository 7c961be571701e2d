package dev.diva.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.diva.BadInputException;
import dev.diva.KeyFile;
import dev.diva.NearestName;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * A recipe as a tree of keys. It starts with every key of its kind; whatever is laid over it may use those keys only.
 *
 * @param root every key
 */
public record RecipeKeys(ObjectNode root) {
    private static final YAMLMapper YAML = YAMLMapper.builder()
            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
            .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
            .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
            .enable(com.fasterxml.jackson.core.JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .build();
    /** 1e-4, which YAML 1.1 takes for text because it has no point. */
    private static final Pattern EXPONENT = Pattern.compile("[-+]?\\d+(\\.\\d*)?[eE][-+]?\\d+");

    /** Reads text that has every key of its kind. */
    public static RecipeKeys parse(InputStream yaml) throws IOException {
        return new RecipeKeys((ObjectNode) YAML.readTree(yaml));
    }

    /** The value of {@code a.b=c}, under its keys; c is YAML. */
    public static ObjectNode assignment(String assignment) {
        int equals = assignment.indexOf('=');
        if (equals < 1) {
            throw new BadInputException("--set " + assignment + ": expected key=value, for instance train.steps=100");
        }
        try {
            ObjectNode root = YAML.createObjectNode();
            ObjectNode parent = root;
            String[] path = assignment.substring(0, equals).strip().split("\\.", -1);
            for (int i = 0; i < path.length - 1; i++) {
                parent = parent.putObject(path[i]);
            }
            JsonNode value = YAML.readTree(assignment.substring(equals + 1));
            parent.set(path[path.length - 1], value.isMissingNode() ? YAML.nullNode() : value);
            return root;
        } catch (JsonProcessingException e) {
            throw new BadInputException("--set " + assignment + ": the value is not YAML", e);
        }
    }

    /**
     * This recipe with other values.
     *
     * @param where named in errors: a file, or an option
     * @throws BadInputException with the nearest name for a key that no recipe has
     */
    public RecipeKeys with(ObjectNode keys, String where) {
        ObjectNode merged = root.deepCopy();
        merge(merged, keys, "", where);
        return new RecipeKeys(merged);
    }

    private void merge(ObjectNode target, ObjectNode keys, String prefix, String where) {
        keys.properties().forEach(entry -> {
            String key = entry.getKey();
            JsonNode value = entry.getValue();
            JsonNode old = target.get(key);
            if (old == null) {
                throw new BadInputException(
                        where + ": " + prefix + key + " is no key of a recipe; nearest: " + nearest(prefix + key));
            }
            if (old instanceof ObjectNode group && !isMap(group)) {
                merge(group, group(prefix + key, value, where), prefix + key + ".", where);
            } else {
                target.set(key, number(value));
            }
        });
    }

    /** A value with numbers for keys, which another one replaces as a whole. */
    private static boolean isMap(ObjectNode node) {
        return !node.isEmpty()
                && node.properties().stream().allMatch(entry -> entry.getKey().matches("\\d+"));
    }

    private static ObjectNode group(String key, JsonNode value, String where) {
        if (value instanceof ObjectNode keys) {
            return keys;
        }
        throw new BadInputException(where + ": " + key + " is " + value + ", expected keys and values below it");
    }

    private static JsonNode number(JsonNode value) {
        boolean isNumber =
                value instanceof TextNode && EXPONENT.matcher(value.textValue()).matches();
        return isNumber ? DoubleNode.valueOf(Double.parseDouble(value.textValue())) : value;
    }

    /** A key of that last name somewhere else, or else the key with the nearest path. */
    private String nearest(String path) {
        List<String> all = new ArrayList<>(flat().keySet());
        root.fieldNames().forEachRemaining(all::add);
        String last = path.substring(path.lastIndexOf('.') + 1);
        return all.stream()
                .filter(known -> known.endsWith("." + last) || known.equals(last))
                .findFirst()
                .orElseGet(() -> NearestName.of(path, all));
    }

    /** Every value by its dotted path. */
    public Map<String, JsonNode> flat() {
        Map<String, JsonNode> values = new TreeMap<>();
        flatten("", root, values);
        return values;
    }

    private static void flatten(String prefix, ObjectNode node, Map<String, JsonNode> values) {
        node.properties().forEach(entry -> {
            if (entry.getValue() instanceof ObjectNode group) {
                flatten(prefix + entry.getKey() + ".", group, values);
            } else {
                values.put(prefix + entry.getKey(), entry.getValue());
            }
        });
    }

    /**
     * The recipe as a record of its kind.
     *
     * @throws BadInputException naming the key, its value and what was expected
     */
    public <T> T as(Class<T> type) {
        return KeyFile.as(root, type, "recipe");
    }

    /** The recipe as a file. */
    public String toYaml() {
        try {
            return YAML.writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree is always YAML", e);
        }
    }

    /**
     * Keys whose values differ, as {@code key: old, now new}.
     *
     * @param matters whether a key changes what is computed; others are passed over
     */
    public List<String> differences(RecipeKeys other, Predicate<String> matters) {
        Map<String, JsonNode> mine = flat();
        List<String> differences = new ArrayList<>();
        other.flat().forEach((key, value) -> {
            JsonNode old = mine.get(key);
            if (matters.test(key) && !sameValue(old, value)) {
                differences.add(key + ": " + old + ", now " + value);
            }
        });
        return differences;
    }

    /** 1 and 1.0 are the same number; a key that a recipe of an earlier version lacks is off. */
    private static boolean sameValue(JsonNode a, JsonNode b) {
        if (a == null) {
            return b.isNull() || (b.isBoolean() && !b.booleanValue());
        }
        if (a.isNumber() && b.isNumber()) {
            return a.asDouble() == b.asDouble();
        }
        return b.equals(a);
    }
}
