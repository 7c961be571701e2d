package dev.diva.eval.mllm;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads what judges replied. */
final class JudgeReplies {
    private static final int SHOWN = 60;

    private JudgeReplies() {}

    /**
     * One run of the wild benchmark's judge: lines with {@code question_id}, {@code category} and {@code content} (the reply) or
     * {@code tuple} (the marks, which LLaVA's summary takes as they are).
     *
     * @param set the questions, which must be the reviews'; null when they are not at hand
     */
    static WildScore.Run wild(Path file, Rules rules, WildQuestions set) {
        List<WildScore.Review> reviews = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        Map<String, String> seen = new HashMap<>();
        Map<String, String> known = new HashMap<>();
        if (set != null) {
            set.questions().forEach(asked -> known.put(asked.item().id().asText(), asked.category()));
        }
        for (JsonLines.Line line : JsonLines.read(file)) {
            String id = line.id("question_id").asText();
            requireOnce(seen, id, line);
            if (set != null && !known.containsKey(id)) {
                throw new BadInputException(
                        line.place() + ": a review of question " + id + ", which is not among those of " + set.place());
            }
            String category = line.node()
                    .path("category")
                    .asText(known.getOrDefault(id, ""))
                    .replace("llava_bench_", "");
            WildScore.Marks marks = marks(line, rules);
            if (!marks.isRead()) {
                warnings.add(line.place() + ": reply \"" + shown(line)
                        + "\" is no pair of numbers; counted as -1 and -1, as published");
            }
            reviews.add(new WildScore.Review(id, category, marks));
        }
        if (reviews.stream().noneMatch(review -> review.marks().isRead())) {
            throw new BadInputException(file + ": no reply is a pair of numbers");
        }
        known.keySet().removeAll(seen.keySet());
        if (!known.isEmpty()) {
            throw new BadInputException(file + ": " + known.size() + " questions have no review, first "
                    + known.keySet().iterator().next());
        }
        return new WildScore.Run(file, reviews, warnings);
    }

    private static WildScore.Marks marks(JsonLines.Line line, Rules rules) {
        JsonNode tuple = line.node().path("tuple");
        if (rules != Rules.LMMS_EVAL && !tuple.isMissingNode()) {
            if (tuple.size() != 2 || !tuple.path(0).isNumber() || !tuple.path(1).isNumber()) {
                throw new BadInputException(line.place() + ": \"tuple\" is no pair of numbers");
            }
            return new WildScore.Marks(tuple.get(0).asDouble(), tuple.get(1).asDouble());
        }
        String reply = line.text("content");
        return rules == Rules.LMMS_EVAL ? WildScore.lmmsEval(reply) : WildScore.llava(reply);
    }

    private static String shown(JsonLines.Line line) {
        String reply = line.node().path("content").asText("").replaceAll("\\p{Cntrl}", " ");
        return reply.length() <= SHOWN ? reply : reply.substring(0, SHOWN) + "...";
    }

    /** Replies of MMVP's judge in the order of the questions: lines with {@code question_id} and {@code content}, or a list of strings. */
    static List<String> mmvp(Path file, MmvpQuestions set) {
        List<String> replies = isList(file) ? list(file) : byId(file, set);
        if (replies.size() != set.rows().size()) {
            throw new BadInputException(file + ": " + replies.size() + " replies for "
                    + set.rows().size() + " questions of " + set.place());
        }
        return replies;
    }

    static boolean isList(Path file) {
        return file.toString().endsWith(".json");
    }

    private static List<String> list(Path file) {
        try {
            JsonNode root = JsonLines.JSON.readTree(Files.readAllBytes(file));
            List<String> replies = new ArrayList<>();
            root.forEach(reply -> replies.add(reply.asText()));
            return replies;
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read as a JSON list: " + Answers.firstLine(e), e);
        }
    }

    private static List<String> byId(Path file, MmvpQuestions set) {
        Map<String, String> byId = new HashMap<>();
        Map<String, String> seen = new HashMap<>();
        for (JsonLines.Line line : JsonLines.read(file)) {
            String id = line.id("question_id").asText();
            requireOnce(seen, id, line);
            byId.put(id, line.text("content"));
        }
        List<String> replies = new ArrayList<>();
        for (MmvpQuestions.Row row : set.rows()) {
            String reply = byId.remove(Integer.toString(row.index()));
            if (reply == null) {
                throw new BadInputException(file + ": no reply to question " + row.index());
            }
            replies.add(reply);
        }
        if (!byId.isEmpty()) {
            throw new BadInputException(file + ": reply to question "
                    + byId.keySet().iterator().next() + ", which is not among those of " + set.place());
        }
        return replies;
    }

    private static void requireOnce(Map<String, String> seen, String id, JsonLines.Line line) {
        String earlier = seen.putIfAbsent(id, line.place());
        if (earlier != null) {
            throw new BadInputException(line.place() + ": question_id " + id + " stands twice, first in " + earlier);
        }
    }
}
