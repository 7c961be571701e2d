package dev.diva.eval;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** What a command of {@code diva eval} found. */
public record Evaluation(String task, List<Result> results, List<ModelTest> tests) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The record as {@code --json} prints it. */
    public ObjectNode toJson() {
        ObjectNode root = JSON.createObjectNode().put("task", task);
        ArrayNode array = root.putArray("results");
        results.forEach(result -> array.add(json(result)));
        ArrayNode testArray = root.putArray("tests");
        for (ModelTest test : tests) {
            testArray
                    .addObject()
                    .put("test", "mcnemar-exact")
                    .put("data", test.data())
                    .put("first", test.first())
                    .put("second", test.second())
                    .put("gained", test.mcNemar().gained())
                    .put("lost", test.mcNemar().lost())
                    .put("p", test.mcNemar().p());
        }
        return root;
    }

    private static ObjectNode json(Result result) {
        ObjectNode node = JSON.createObjectNode().put("model", result.model()).put("data", result.data());
        ObjectNode metrics = node.putObject("metrics");
        result.metrics().forEach(metrics::put);
        ObjectNode intervals = node.putObject("intervals");
        result.intervals().forEach((name, interval) -> add(intervals.putArray(name), interval));
        if (result.pairs() != null) {
            ObjectNode patterns = node.putObject("patterns");
            result.patterns().forEach((name, score) -> {
                ObjectNode pattern = patterns.putObject(name);
                pattern.put("accuracy", score.fraction())
                        .put("pairsCorrect", score.pairsCorrect())
                        .put("pairs", score.pairs());
                add(pattern.putArray("interval"), score.interval());
            });
            node.put("pairsCorrect", result.pairs().pairsCorrect())
                    .put("pairs", result.pairs().pairs());
            node.set("questions", JSON.valueToTree(result.questions()));
        }
        node.set("warnings", JSON.valueToTree(result.warnings()));
        return node;
    }

    private static void add(ArrayNode array, Interval interval) {
        array.add(interval.low()).add(interval.high());
    }
}
