package dev.diva.eval.mllm;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.eval.LineLog;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The file of a model's answers to one benchmark. Each answer is on disk before the next is asked for; a file that is there is continued,
 * its last line redone if a killed run cut it short. While questions are open the lines stand as they were answered; {@link #finish} puts
 * them in the order of the questions, which the original scorers need.
 */
final class AnswersFile implements AutoCloseable {
    private final QuestionSet set;
    private final Path file;
    private final String model;
    private final LineLog log;
    private final List<String> texts;

    /**
     * Opens or creates the file.
     *
     * @throws BadInputException when another process writes it, or it holds answers of another model, to other questions or other prompts
     */
    AnswersFile(QuestionSet set, Path file, String model) {
        this.set = set;
        this.file = file;
        this.model = model;
        this.log = new LineLog(file, "answers");
        try {
            this.texts = resume();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private List<String> resume() {
        List<JsonLines.Line> lines = lines();
        for (JsonLines.Line line : lines) {
            String by = line.node().path("model_id").asText("");
            if (!by.equals(model)) {
                throw new BadInputException(line.place() + ": an answer of " + by + ", not of " + model
                        + "; give another folder for the answers");
            }
        }
        Answers answers = Answers.match(set, lines);
        requireSamePrompts(lines);
        return answers.texts();
    }

    private void requireSamePrompts(List<JsonLines.Line> lines) {
        Set<String> asked = set.items().stream()
                .map(item -> item.id().asText() + "\n" + item.prompt())
                .collect(Collectors.toSet());
        for (JsonLines.Line line : lines) {
            String prompt = line.node().path("prompt").asText();
            if (!asked.contains(line.id("question_id").asText() + "\n" + prompt)) {
                throw new BadInputException(line.place() + ": answered to another prompt; give another folder for the"
                        + " answers, or the prompts (--prompts; in a suite: prompts) that it was begun with");
            }
        }
    }

    private List<JsonLines.Line> lines() {
        List<JsonLines.Line> lines = new ArrayList<>();
        for (int i = 0; i < log.found().size(); i++) {
            String text = log.found().get(i);
            if (!text.isBlank()) {
                lines.add(new JsonLines.Line(file, i + 1, JsonLines.object(text, file, i + 1)));
            }
        }
        return lines;
    }

    boolean isAnswered(int question) {
        return texts.get(question) != null;
    }

    /** Puts an answer on disk. */
    void add(int question, String text) {
        ObjectNode node = JsonAnswers.answer(set.benchmark(), set.items().get(question), text, model);
        log.add(JsonAnswers.line(node).stripTrailing());
        texts.set(question, text);
    }

    /** Puts the lines in the order of the questions; all are answered. */
    List<String> finish() {
        ByteArrayOutputStream sorted = new ByteArrayOutputStream();
        List<Item> items = set.items();
        for (int i = 0; i < items.size(); i++) {
            ObjectNode node = JsonAnswers.answer(set.benchmark(), items.get(i), texts.get(i), model);
            sorted.writeBytes(JsonAnswers.line(node).getBytes(StandardCharsets.UTF_8));
        }
        AtomicFile.write(file, target -> target.write(ByteBuffer.wrap(sorted.toByteArray())));
        return List.copyOf(texts);
    }

    @Override
    public void close() {
        log.close();
    }
}
