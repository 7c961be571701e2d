package dev.diva.eval.mllm;

import dev.diva.BadInputException;
import dev.diva.PythonStrings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Recorded answers, matched with the questions of a set.
 *
 * @param model what the file calls the model, empty when it does not
 * @param texts by question in the order of the set, null where there is no answer yet
 */
public record Answers(String model, List<String> texts) {
    /**
     * Reads a file of answers to all questions of a set.
     *
     * @throws BadInputException for lines cut short, answers to other questions, two to one question, and questions without an answer
     */
    public static Answers read(QuestionSet set, Path file) {
        Answers answers = match(set, JsonLines.read(file));
        List<Integer> missing = new ArrayList<>();
        for (int i = 0; i < answers.texts.size(); i++) {
            if (answers.texts.get(i) == null) {
                missing.add(i);
            }
        }
        if (!missing.isEmpty()) {
            throw new BadInputException(file + ": " + missing.size() + " of " + answers.texts.size()
                    + " questions of " + set.benchmark().label() + " have no answer, first "
                    + set.items().get(missing.get(0)).id().asText());
        }
        return answers;
    }

    /** Matches lines with questions; each answers one. */
    static Answers match(QuestionSet set, List<JsonLines.Line> lines) {
        List<Item> items = set.items();
        Map<String, Deque<Integer>> open = new HashMap<>();
        for (int i = 0; i < items.size(); i++) {
            open.computeIfAbsent(key(set, items.get(i), items.get(i).prompt()), key -> new ArrayDeque<>())
                    .add(i);
        }
        String[] texts = new String[items.size()];
        Map<String, String> seen = new HashMap<>();
        String model = "";
        for (JsonLines.Line line : lines) {
            String id = line.id("question_id").asText();
            String prompt = line.node().path("prompt").asText("");
            String key = set.benchmark() == Benchmark.MME ? id + "\n" + normal(prompt) : id;
            Deque<Integer> places = open.get(key);
            if (places == null) {
                throw new BadInputException(line.place() + ": an answer to question " + id + shown(prompt)
                        + ", which is not among those of " + set.place());
            }
            if (places.isEmpty()) {
                throw new BadInputException(
                        line.place() + ": question_id " + id + " is answered twice, first in " + seen.get(key));
            }
            Item item = items.get(places.peek());
            if (!prompt.isEmpty() && !normal(prompt).contains(normal(item.question()))) {
                throw new BadInputException(line.place() + ": answers" + shown(prompt) + ", but question " + id + " of "
                        + set.place() + " is" + shown(item.question()));
            }
            texts[places.remove()] = text(set.benchmark(), line);
            seen.put(key, line.place());
            model = line.node().path("model_id").asText(model);
        }
        return new Answers(model, new ArrayList<>(java.util.Arrays.asList(texts)));
    }

    private static String key(QuestionSet set, Item item, String prompt) {
        return set.benchmark() == Benchmark.MME
                ? item.id().asText() + "\n" + normal(prompt)
                : item.id().asText();
    }

    /** A prompt without the suffixes of any toolkit and with single blanks; POPE's first files wrote imange. */
    private static String normal(String prompt) {
        String bare = prompt.replace(Prompts.SHORT.strip(), "")
                .replace(Prompts.YES_NO.strip(), "")
                .replace("imange", "image");
        return String.join(" ", PythonStrings.words(bare));
    }

    private static String shown(String prompt) {
        return prompt.isEmpty()
                ? ""
                : " \"" + String.join(" ", PythonStrings.words(PythonStrings.prefix(prompt, 80))) + "\"";
    }

    private static String text(Benchmark benchmark, JsonLines.Line line) {
        String key = JsonAnswers.textKey(benchmark);
        return line.text(line.node().has(key) ? key : "text");
    }

    /** Lines of a file by question id. */
    static Map<String, JsonLines.Line> byId(Path file) {
        Map<String, JsonLines.Line> lines = new LinkedHashMap<>();
        JsonLines.read(file).forEach(line -> lines.put(line.id("question_id").asText(), line));
        return lines;
    }

    static String firstLine(IOException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }
}
