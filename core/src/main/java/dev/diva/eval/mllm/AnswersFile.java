package dev.diva.eval.mllm;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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
    private final FileChannel channel;
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
        this.channel = open(file);
        try {
            this.texts = resume();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private static FileChannel open(Path file) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            FileLock lock = tryLock(channel);
            if (lock == null) {
                channel.close();
                throw new BadInputException(file + ": another process is writing these answers");
            }
            return channel;
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    private static FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null;
        }
    }

    private List<String> resume() {
        List<JsonLines.Line> lines = wholeLines();
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
                        + " answers, or the --prompts that it was begun with");
            }
        }
    }

    /** Lines that are there as a whole; a last one that was cut short is cut off the file. */
    private List<JsonLines.Line> wholeLines() {
        try {
            byte[] bytes = Files.readAllBytes(file);
            List<JsonLines.Line> lines = new ArrayList<>();
            int start = 0;
            int number = 0;
            for (int end = next(bytes, start); start < bytes.length; start = end + 1, end = next(bytes, start)) {
                number++;
                String text = new String(bytes, start, end - start, StandardCharsets.UTF_8);
                boolean isCut = end == bytes.length;
                if (isCut) {
                    channel.truncate(start);
                    channel.force(true);
                } else if (!text.isBlank()) {
                    lines.add(new JsonLines.Line(file, number, JsonLines.object(text, file, number)));
                }
            }
            channel.position(channel.size());
            return lines;
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be continued: " + e.getMessage(), e);
        }
    }

    private static int next(byte[] bytes, int from) {
        int at = from;
        while (at < bytes.length && bytes[at] != '\n') {
            at++;
        }
        return at;
    }

    boolean isAnswered(int question) {
        return texts.get(question) != null;
    }

    /** Puts an answer on disk. */
    void add(int question, String text) {
        ObjectNode node = JsonAnswers.answer(set.benchmark(), set.items().get(question), text, model);
        ByteBuffer line = StandardCharsets.UTF_8.encode(JsonAnswers.line(node));
        try {
            while (line.hasRemaining()) {
                channel.write(line);
            }
            channel.force(false);
        } catch (IOException e) {
            throw new BadInputException(
                    file + ": cannot be written: " + e.getMessage() + "; what was answered before is kept", e);
        }
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
        try {
            channel.close();
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be closed: " + e.getMessage(), e);
        }
    }
}
