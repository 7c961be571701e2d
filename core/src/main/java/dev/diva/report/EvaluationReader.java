package dev.diva.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.Placeholder;
import dev.diva.hub.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Reads the JSON of {@code diva eval}. Parts that a file does not have are left out; what is not JSON is an error. */
final class EvaluationReader {
    private static final ObjectMapper JSON = new ObjectMapper();

    private EvaluationReader() {}

    static Evaluation read(Path file) {
        JsonNode root = tree(file);
        if (!root.path("results").isArray()) {
            throw new BadInputException(
                    file + ": no \"results\" array; expected the JSON that diva eval --json writes");
        }
        String task = root.path("task").asText("");
        List<Result> results = new ArrayList<>();
        for (JsonNode node : root.path("results")) {
            results.add(result(file, task, node));
        }
        List<PairedTest> tests = new ArrayList<>();
        root.path("tests").forEach(node -> test(node).ifPresent(tests::add));
        return new Evaluation(results, tests);
    }

    static JsonNode tree(Path file) {
        try {
            return JSON.readTree(file.toFile());
        } catch (IOException e) {
            Placeholder.refuse(file);
            throw new BadInputException(file + ": cannot be read as JSON: " + firstLine(e), e);
        }
    }

    private static String firstLine(IOException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    private static Result result(Path file, String task, JsonNode node) {
        String model = node.path("model").asText("");
        String data = node.path("data").asText("");
        Map<String, Score> scores = new LinkedHashMap<>();
        node.path("metrics").properties().forEach(entry -> {
            if (entry.getValue().isNumber()) {
                Optional<Interval> interval = interval(node.path("intervals").path(entry.getKey()));
                scores.put(entry.getKey(), new Score(entry.getValue().asDouble(), interval.orElse(null), null, null));
            }
        });
        Map<String, Score> patterns = new LinkedHashMap<>();
        node.path("patterns")
                .properties()
                .forEach(entry -> pattern(entry.getValue()).ifPresent(score -> patterns.put(entry.getKey(), score)));
        List<Question> questions = new ArrayList<>();
        for (JsonNode question : either(node, "questions", "items")) {
            questions.add(question(file, data, questions.size(), question));
        }
        List<String> warnings = new ArrayList<>();
        node.path("warnings").forEach(warning -> warnings.add(warning.asText()));
        Score pairs = counted(node)
                .map(score -> score.within(interval(node.path("intervals").path("pairs"))))
                .orElse(null);
        PairGallery gallery = gallery(file, data, node.path("gallery"));
        return new Result(task, label(file, model), model, data, scores, patterns, pairs, questions, warnings, gallery);
    }

    private static PairGallery gallery(Path file, String data, JsonNode node) {
        List<PairGallery.Item> items = new ArrayList<>();
        for (JsonNode row : node.path("rows")) {
            List<String> names = new ArrayList<>();
            row.path("names").forEach(name -> names.add(name.asText()));
            List<String> images = new ArrayList<>();
            row.path("images")
                    .forEach(image ->
                            images.add(locate(file, data, image.asText()).toString()));
            if (images.size() == names.size()) {
                items.add(PairGallery.Item.of(row.path("caption").asText(""), names, images));
            }
        }
        return items.isEmpty()
                ? null
                : new PairGallery(
                        node.path("title").asText(""), node.path("note").asText(""), items);
    }

    /** A run writes one file before and one after training and says so in the name; else the model names itself. */
    private static String label(Path file, String model) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        if (name.startsWith("before")) {
            return "Before";
        }
        if (name.startsWith("after")) {
            return "After";
        }
        return model.isEmpty() ? file.getFileName().toString() : Models.label(Path.of(model));
    }

    private static Optional<Score> pattern(JsonNode node) {
        if (node.isNumber()) {
            return Optional.of(new Score(node.asDouble(), null, null, null));
        }
        Optional<Interval> interval = interval(node.path("interval"));
        Optional<Score> counted = counted(node).map(score -> score.within(interval));
        if (counted.isPresent()) {
            return counted;
        }
        JsonNode value = either(node, "score", "accuracy");
        return value.isNumber()
                ? Optional.of(new Score(value.asDouble(), interval.orElse(null), null, null))
                : Optional.empty();
    }

    private static Optional<Score> counted(JsonNode node) {
        JsonNode correct = either(node, "pairsCorrect", "correct");
        JsonNode total = either(node, "pairs", "total");
        return correct.isInt() && total.asInt() > 0
                ? Optional.of(Score.ofCount(correct.asInt(), total.asInt()))
                : Optional.empty();
    }

    private static Optional<Interval> interval(JsonNode node) {
        return node.isArray() && node.size() == 2
                ? Optional.of(new Interval(node.get(0).asDouble(), node.get(1).asDouble()))
                : Optional.empty();
    }

    private static Question question(Path file, String data, int index, JsonNode node) {
        List<Path> images = new ArrayList<>();
        node.path("images").forEach(image -> images.add(locate(file, data, image.asText())));
        List<String> statements = new ArrayList<>();
        node.path("statements").forEach(statement -> statements.add(statement.asText()));
        List<Double> margins = new ArrayList<>();
        node.path("margins").forEach(margin -> margins.add(margin.asDouble()));
        return new Question(
                node.path("id").asText(Integer.toString(index + 1)),
                node.path("pattern").asText(""),
                images,
                statements,
                margins,
                node.path("correct").asBoolean());
    }

    /** Image paths are as written, or relative to the data, or to the evaluation file. */
    private static Path locate(Path file, String data, String image) {
        List<Path> places = List.of(Path.of(image), Path.of(data).resolve(image), file.resolveSibling(image));
        return places.stream().filter(Files::isRegularFile).findFirst().orElse(places.get(0));
    }

    private static Optional<PairedTest> test(JsonNode node) {
        JsonNode p = either(node, "p", "pValue");
        return p.isNumber()
                ? Optional.of(new PairedTest(
                        node.path("data").asText(""),
                        either(node, "first", "before").asText(""),
                        either(node, "second", "after").asText(""),
                        either(node, "gained", "secondOnly").asInt(),
                        either(node, "lost", "firstOnly").asInt(),
                        p.asDouble()))
                : Optional.empty();
    }

    private static JsonNode either(JsonNode node, String name, String other) {
        return node.has(name) ? node.path(name) : node.path(other);
    }
}
