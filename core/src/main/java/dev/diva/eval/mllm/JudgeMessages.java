package dev.diva.eval.mllm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes what a judge is to be asked, a line a question: the fields of a review, {@code system} and {@code message}. A line with the reply
 * put in as {@code content} is a line of the file of replies.
 */
public final class JudgeMessages {
    private static final String SYSTEM =
            "You are a helpful and precise assistant for checking the quality of the answer.";

    private JudgeMessages() {}

    /**
     * Messages for the wild benchmark.
     *
     * @param answers file of the model's answers, for their ids
     * @param rules LLaVA's {@code llava/eval/table/rule.json}
     */
    public static void wild(WildQuestions set, Path answers, List<String> texts, Path rules, Path target) {
        List<JsonLines.Line> references = JsonLines.read(set.place().resolve("answers_gpt4.jsonl"));
        Map<String, JsonLines.Line> own = Answers.byId(answers);
        List<String> messages = wild(set, texts, rules(rules));
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < messages.size(); i++) {
            WildQuestions.Asked asked = set.questions().get(i);
            JsonNode id = asked.item().id();
            ObjectNode line = JsonLines.JSON.createObjectNode().put("id", i + 1);
            line.set("question_id", id);
            line.put(
                    "answer1_id",
                    reference(set, references, i).node().path("answer_id").asText(id.asText()));
            line.put("answer2_id", answerId(own, id.asText()));
            line.put("category", "llava_bench_" + asked.category())
                    .put("system", SYSTEM)
                    .put("message", messages.get(i));
            lines.append(JsonAnswers.line(line));
        }
        AtomicFile.writeString(target, lines.toString());
    }

    /** The messages alone. */
    static List<String> wild(WildQuestions set, List<String> texts, JsonNode rules) {
        Map<String, String> captions = set.captions();
        List<JsonLines.Line> references = JsonLines.read(set.place().resolve("answers_gpt4.jsonl"));
        List<String> messages = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            WildQuestions.Asked asked = set.questions().get(i);
            String caption = captions.get(asked.image());
            if (caption == null) {
                throw new BadInputException(set.place().resolve("context.jsonl") + ": no caption of " + asked.image());
            }
            JsonNode rule = rules.path("llava_bench_" + asked.category());
            if (!rule.path("prompt").isTextual()) {
                throw new BadInputException("rule.json: no prompt of llava_bench_" + asked.category());
            }
            String role = rule.path("role").asText("Assistant");
            messages.add("[Context]\n" + caption + "\n\n[Question]\n"
                    + asked.item().question() + "\n\n"
                    + answer(role, 1, reference(set, references, i).text("text")) + answer(role, 2, texts.get(i))
                    + "[System]\n" + rule.path("prompt").asText() + "\n\n");
        }
        return messages;
    }

    private static String answerId(Map<String, JsonLines.Line> answers, String id) {
        return answers.get(id).node().path("answer_id").asText(id);
    }

    private static JsonLines.Line reference(WildQuestions set, List<JsonLines.Line> references, int row) {
        JsonNode id = set.questions().get(row).item().id();
        if (row >= references.size()
                || !references.get(row).id("question_id").asText().equals(id.asText())) {
            throw new BadInputException(set.place().resolve("answers_gpt4.jsonl") + ": line " + (row + 1)
                    + " is not the reference answer to question " + id.asText());
        }
        return references.get(row);
    }

    private static String answer(String role, int number, String text) {
        return "[" + role + " " + number + "]\n" + text + "\n\n[End of " + role + " " + number + "]\n\n";
    }

    private static JsonNode rules(Path file) {
        try {
            return JsonLines.JSON.readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new BadInputException(
                    file + ": needed for the judge's messages (LLaVA's llava/eval/table/rule.json): "
                            + Answers.firstLine(e),
                    e);
        }
    }

    /** Messages for the authors' judge of MMVP, to be answered by yes or no. */
    public static void mmvp(MmvpQuestions set, Path answers, List<String> texts, Path target) {
        Map<String, JsonLines.Line> own = Answers.byId(answers);
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < texts.size(); i++) {
            MmvpQuestions.Row row = set.rows().get(i);
            lines.append(JsonAnswers.line(JsonLines.JSON
                    .createObjectNode()
                    .put("question_id", row.index())
                    .put("answer2_id", answerId(own, Integer.toString(row.index())))
                    .put("message", MmvpQuestions.judgeMessage(row, texts.get(i)))));
        }
        AtomicFile.writeString(target, lines.toString());
    }
}
