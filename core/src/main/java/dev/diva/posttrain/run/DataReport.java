package dev.diva.posttrain.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.data.DataCheck;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The check of the images as {@code data.json} and as lines for a person. */
final class DataReport {
    private static final ObjectMapper JSON = new ObjectMapper();

    private DataReport() {}

    static String json(DataCheck check) {
        ObjectNode root = JSON.createObjectNode()
                .put("images", check.images())
                .put("checked", check.checked())
                .put("paddedShare", check.padded())
                .put("smallShare", check.small());
        var unreadable = root.putArray("unreadable");
        check.unreadable()
                .forEach(problem ->
                        unreadable.addObject().put("name", problem.name()).put("reason", problem.reason()));
        root.set("exactDuplicates", JSON.valueToTree(check.exactDuplicates()));
        root.set("nearDuplicates", JSON.valueToTree(check.nearDuplicates()));
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree is always JSON", e);
        }
    }

    /** One line of facts, and one for each thing that is worth a look. */
    static List<String> lines(DataCheck check) {
        List<String> lines = new ArrayList<>();
        lines.add("images   " + check.images() + ", checked " + check.checked());
        if (!check.unreadable().isEmpty()) {
            lines.add("warning: " + check.unreadable().size() + " cannot be read; the first: "
                    + check.unreadable().get(0));
        }
        share(lines, check.padded(), "have a white or black border, which the teacher learns to expect");
        share(lines, check.small(), "are smaller than the resolution and will be blown up");
        duplicates(lines, check.exactDuplicates(), "the same bytes");
        duplicates(lines, check.nearDuplicates(), "the same look");
        return lines;
    }

    private static void share(List<String> lines, double share, String what) {
        if (share > 0) {
            lines.add(String.format(Locale.ROOT, "warning: %.0f %% of the checked images %s", 100 * share, what));
        }
    }

    private static void duplicates(List<String> lines, List<List<String>> groups, String what) {
        if (!groups.isEmpty()) {
            lines.add("warning: " + groups.size() + " groups of images with " + what + "; the first: "
                    + String.join(", ", groups.get(0)));
        }
    }
}
