package dev.diva.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;

/** The check of the images in words. Keys that it does not know stay as they are. */
final class DataFacts {
    private static final Map<String, String> WORDS = Map.of(
            "images", "Images",
            "checked", "Checked",
            "paddedShare", "With a white or black border",
            "smallShare", "Smaller than the resolution",
            "unreadable", "Cannot be read",
            "exactDuplicates", "The same bytes",
            "nearDuplicates", "The same look");

    private DataFacts() {}

    static Map<String, String> of(JsonNode data) {
        Map<String, String> facts = new LinkedHashMap<>();
        Facts.of(data).forEach((path, value) -> {
            String key = path.split(" ", 2)[0];
            String name = WORDS.getOrDefault(key, key) + path.substring(key.length());
            facts.put(name, value(key, value));
        });
        return facts;
    }

    private static String value(String key, String value) {
        if (value.equals("[]")) {
            return "none";
        }
        return key.endsWith("Share") ? Numbers.percent(Double.parseDouble(value)) + " %" : value;
    }
}
