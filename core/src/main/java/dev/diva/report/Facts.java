package dev.diva.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;

/** A JSON object as lines of a table: one line a value, its key the path to it. */
final class Facts {
    private Facts() {}

    static Map<String, String> of(JsonNode root) {
        Map<String, String> facts = new LinkedHashMap<>();
        add(facts, "", root);
        return facts;
    }

    private static void add(Map<String, String> facts, String key, JsonNode node) {
        if (node.isObject() && !node.isEmpty()) {
            node.properties().forEach(entry -> add(facts, join(key, entry.getKey()), entry.getValue()));
        } else if (node.isArray() && !node.isEmpty() && node.get(0).isContainerNode()) {
            for (int i = 0; i < node.size(); i++) {
                add(facts, join(key, Integer.toString(i + 1)), node.get(i));
            }
        } else {
            facts.put(key, node.isValueNode() ? node.asText() : node.toString());
        }
    }

    private static String join(String key, String name) {
        return key.isEmpty() ? name : key + " \u203a " + name;
    }
}
