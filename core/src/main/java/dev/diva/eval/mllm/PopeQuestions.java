package dev.diva.eval.mllm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import dev.diva.BadInputException;
import dev.diva.PythonStrings;
import dev.diva.eval.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * POPE: labels in {@code coco/coco_pope_CATEGORY.json} (JSON lines), LLaVA's questions in {@code llava_pope_test.jsonl}, images in
 * {@code val2014}. Questions and labels of a category belong together by their order, not by their ids. Without LLaVA's file the
 * questions are made from the labels, with LLaVA's ids.
 */
public final class PopeQuestions implements QuestionSet {
    private static final List<String> CATEGORIES = List.of("adversarial", "random", "popular");
    private static final int ID_STEP = 10_000_000;

    /** A question with its category and label. */
    record Labelled(Item item, String category, String label) {}

    private final Path folder;
    private final List<Labelled> questions;

    private PopeQuestions(Path folder, List<Labelled> questions) {
        this.folder = folder;
        this.questions = List.copyOf(questions);
    }

    static PopeQuestions read(Path folder, Prompts prompts) {
        Map<String, List<JsonLines.Line>> labels = labels(folder);
        Path images = Stream.of("val2014", "coco/val2014", "../coco/val2014")
                .map(folder::resolve)
                .filter(Files::isDirectory)
                .findFirst()
                .orElse(folder.resolve("val2014"));
        Path file = folder.resolve("llava_pope_test.jsonl");
        List<Labelled> questions = new ArrayList<>();
        if (Files.exists(file)) {
            Map<String, Integer> next = new LinkedHashMap<>();
            for (JsonLines.Line line : JsonLines.read(file)) {
                String category = line.text("category");
                int position = next.merge(category, 1, Integer::sum) - 1;
                JsonLines.Line label = label(labels, category, position, line);
                questions.add(question(line.id("question_id"), line, label, images, prompts));
            }
            next.forEach((category, count) -> requireAll(labels, category, count, file));
        } else {
            for (int i = 0; i < CATEGORIES.size(); i++) {
                int id = i * ID_STEP;
                for (JsonLines.Line label : labels.getOrDefault(CATEGORIES.get(i), List.of())) {
                    questions.add(question(IntNode.valueOf(++id), label, label, images, prompts));
                }
            }
        }
        return new PopeQuestions(folder, questions);
    }

    private static Map<String, List<JsonLines.Line>> labels(Path folder) {
        Path place = Files.isDirectory(folder.resolve("coco")) ? folder.resolve("coco") : folder;
        Map<String, List<JsonLines.Line>> labels = new LinkedHashMap<>();
        for (String category : List.of("random", "popular", "adversarial")) {
            Path file = place.resolve("coco_pope_" + category + ".json");
            if (Files.exists(file)) {
                labels.put(category, JsonLines.read(file));
            }
        }
        if (labels.isEmpty()) {
            throw new BadInputException(
                    place + ": no coco_pope_random.json, coco_pope_popular.json, coco_pope_adversarial.json");
        }
        return labels;
    }

    private static JsonLines.Line label(
            Map<String, List<JsonLines.Line>> labels, String category, int position, JsonLines.Line question) {
        List<JsonLines.Line> lines = labels.get(category);
        if (lines == null) {
            throw new BadInputException(question.place() + ": category " + category + " has no labels; found "
                    + String.join(", ", labels.keySet()));
        }
        if (position >= lines.size()) {
            throw new BadInputException(lines.get(0).file() + ": " + lines.size() + " labels, but " + question.place()
                    + " is question " + (position + 1) + " of " + category);
        }
        JsonLines.Line label = lines.get(position);
        if (!label.text("image").equals(question.text("image"))) {
            throw new BadInputException(
                    label.place() + ": label of " + label.text("image") + ", but the question there ("
                            + question.place() + ") is on " + question.text("image")
                            + "; LLaVA's questions go with the labels of POPE's commit e3e3926");
        }
        return label;
    }

    private static void requireAll(
            Map<String, List<JsonLines.Line>> labels, String category, int count, Path questions) {
        List<JsonLines.Line> lines = labels.get(category);
        if (lines.size() != count) {
            throw new BadInputException(
                    lines.get(0).file() + ": " + lines.size() + " labels for " + count + " questions of " + questions
                            + "; LLaVA's questions go with the labels of POPE's commit e3e3926 (2910 of random)");
        }
    }

    private static Labelled question(
            JsonNode id, JsonLines.Line line, JsonLines.Line label, Path images, Prompts prompts) {
        String right = label.text("label");
        if (!right.equals("yes") && !right.equals("no")) {
            throw new BadInputException(label.place() + ": label \"" + right + "\", expected yes or no");
        }
        String question = bare(line.text("text"));
        String asked = prompts == Prompts.VLMEVALKIT
                ? question
                : line.file().equals(label.file()) || prompts == Prompts.LMMS_EVAL
                        ? question + Prompts.SHORT
                        : line.text("text");
        Item item = new Item(
                id,
                Picture.inside(images, line.text("image"), line.place()),
                question,
                asked,
                asked,
                prompts.maxNewTokens(Benchmark.POPE),
                JsonLines.JSON.createObjectNode());
        String file = label.file().getFileName().toString();
        return new Labelled(item, file.substring("coco_pope_".length(), file.length() - ".json".length()), right);
    }

    private static String bare(String text) {
        return PythonStrings.strip(text.replace(Prompts.SHORT.strip(), ""));
    }

    String category(int question) {
        return questions.get(question).category;
    }

    @Override
    public Benchmark benchmark() {
        return Benchmark.POPE;
    }

    @Override
    public Path place() {
        return folder;
    }

    @Override
    public List<Item> items() {
        return questions.stream().map(Labelled::item).toList();
    }

    @Override
    public Result score(String model, List<String> texts, Rules rules, List<Path> judge) {
        List<PopeScore.Answer> answers = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            Labelled asked = questions.get(i);
            answers.add(PopeScore.Answer.of(asked.category, asked.label, texts.get(i), rules));
        }
        return new PopeScore(answers, rules).result(model, folder.toString());
    }
}
