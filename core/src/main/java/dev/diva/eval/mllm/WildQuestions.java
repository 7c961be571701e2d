package dev.diva.eval.mllm;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.eval.Result;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * LLaVA-Bench (in the wild): {@code questions.jsonl}, {@code context.jsonl} (captions of the images for the judge),
 * {@code answers_gpt4.jsonl} (the reference), {@code images/}.
 */
public final class WildQuestions implements QuestionSet {
    /** A question with its category: conv, detail or complex. */
    record Asked(Item item, String image, String category) {}

    private final Path folder;
    private final List<Asked> questions;

    private WildQuestions(Path folder, List<Asked> questions) {
        this.folder = folder;
        this.questions = List.copyOf(questions);
    }

    static WildQuestions read(Path folder, Prompts prompts) {
        List<Asked> questions = new ArrayList<>();
        for (JsonLines.Line line : JsonLines.read(folder.resolve("questions.jsonl"))) {
            String text = line.text("text");
            String image = line.text("image");
            Item item = new Item(
                    line.id("question_id"),
                    Picture.inside(folder.resolve("images"), image, line.place()),
                    text,
                    text,
                    text,
                    prompts.maxNewTokens(Benchmark.WILD),
                    JsonLines.JSON.createObjectNode());
            questions.add(new Asked(item, image, line.text("category")));
        }
        return new WildQuestions(folder, questions);
    }

    @Override
    public Benchmark benchmark() {
        return Benchmark.WILD;
    }

    @Override
    public Path place() {
        return folder;
    }

    @Override
    public List<Item> items() {
        return questions.stream().map(Asked::item).toList();
    }

    List<Asked> questions() {
        return questions;
    }

    /** Captions by image, lines of a list joined. */
    Map<String, String> captions() {
        Map<String, String> captions = new HashMap<>();
        for (JsonLines.Line line : JsonLines.read(folder.resolve("context.jsonl"))) {
            JsonNode caption = line.node().path("caption");
            if (!caption.isTextual() && !caption.isArray()) {
                throw new BadInputException(line.place() + ": \"caption\" is neither a string nor a list");
            }
            List<String> lines = new ArrayList<>();
            caption.forEach(part -> lines.add(part.asText()));
            captions.put(line.text("image"), caption.isTextual() ? caption.textValue() : String.join("\n", lines));
        }
        return captions;
    }

    @Override
    public Result score(String model, List<String> texts, Rules rules, List<Path> judge) {
        if (judge.isEmpty()) {
            throw new BadInputException(
                    folder + ": the wild benchmark is scored from replies of a judge: --judge FILE... (in a suite:"
                            + " judge)");
        }
        List<WildScore.Run> runs =
                judge.stream().map(file -> JudgeReplies.wild(file, rules, this)).toList();
        return new WildScore(runs).result(model, folder.toString());
    }
}
