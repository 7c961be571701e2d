package dev.diva.eval;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a command of {@code diva eval} found. */
public record Evaluation(String task, List<Result> results, List<ModelTest> tests) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Tests each later model against the first one on the same data; where their answers cannot be paired, a warning says so. */
    public static Evaluation of(String task, List<Result> results) {
        Map<String, Result> first = new LinkedHashMap<>();
        List<Result> told = new ArrayList<>();
        List<ModelTest> tests = new ArrayList<>();
        for (Result result : results) {
            Result reference = first.putIfAbsent(result.data(), result);
            List<String> missing = reference == null ? List.of() : ModelTest.missing(reference, result);
            told.add(missing.isEmpty() ? result : result.withWarnings(missing));
            if (reference != null) {
                tests.addAll(ModelTest.between(reference, result));
            }
        }
        return new Evaluation(task, List.copyOf(told), tests);
    }

    /** Evaluations of the same task on several sets as one. */
    public static Evaluation joined(List<Evaluation> evaluations) {
        List<Result> results =
                evaluations.stream().flatMap(e -> e.results.stream()).toList();
        return of(evaluations.get(0).task, results);
    }

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

    /** One result as it stands in {@link #toJson}. */
    static ObjectNode json(Result result) {
        ObjectNode node = JSON.createObjectNode().put("model", result.model()).put("data", result.data());
        ObjectNode metrics = node.putObject("metrics");
        result.metrics().forEach(metrics::put);
        ObjectNode intervals = node.putObject("intervals");
        result.intervals().forEach((name, interval) -> add(intervals.putArray(name), interval));
        if (!result.fullMarks().isEmpty()) {
            ObjectNode points = node.putObject("points");
            result.fullMarks().forEach((name, full) -> points.put(name, result.points(name)));
        }
        if (result.pairs() != null) {
            add(node, result.pairs());
        }
        if (!result.classes().isEmpty()) {
            ObjectNode classes = node.putObject("classes");
            result.classes().forEach((name, score) -> {
                ObjectNode one = classes.putObject(name)
                        .put("accuracy", score.accuracy())
                        .put("correct", score.correct())
                        .put("images", score.images());
                add(one.putArray("interval"), score.interval());
            });
        }
        node.set("warnings", JSON.valueToTree(result.warnings()));
        if (result.gallery() != null) {
            node.set("gallery", JSON.valueToTree(result.gallery()));
        }
        return node;
    }

    private static void add(ObjectNode node, PairResult pairs) {
        ObjectNode patterns = node.putObject("patterns");
        pairs.patterns().forEach((name, score) -> {
            ObjectNode pattern = patterns.putObject(name);
            pattern.put("accuracy", score.fraction())
                    .put("pairsCorrect", score.pairsCorrect())
                    .put("pairs", score.pairs());
            add(pattern.putArray("interval"), score.interval());
        });
        node.put("pairsCorrect", pairs.total().pairsCorrect())
                .put("pairs", pairs.total().pairs());
        node.set("questions", JSON.valueToTree(pairs.questions()));
    }

    private static void add(ArrayNode array, Interval interval) {
        array.add(interval.low()).add(interval.high());
    }
}
