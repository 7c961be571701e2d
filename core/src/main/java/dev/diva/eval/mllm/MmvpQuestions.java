package dev.diva.eval.mllm;

import com.fasterxml.jackson.databind.node.IntNode;
import dev.diva.BadInputException;
import dev.diva.PythonStrings;
import dev.diva.eval.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * MMVP: {@code Questions.csv} (index, question, options, right option; a fifth column Pattern is a visual pattern, which the published
 * file lacks) and {@code MMVP Images/INDEX.jpg}. Two rows after one another are a pair.
 */
public final class MmvpQuestions implements QuestionSet {
    /** Labels that the published file has the wrong way round, as lmms-eval corrects them. */
    private static final Map<Integer, String> CORRECTED = Map.of(99, "B", 100, "A", 279, "B", 280, "A");

    private static final int PUBLISHED_ROWS = 300;
    private static final List<String> IMAGE_FOLDERS = List.of("MMVP Images", "MMVP_Images", "images");
    private static final List<String> EXTENSIONS = List.of(".jpg", ".jpeg", ".png", ".webp");
    private static final Pattern OPTION =
            Pattern.compile("\\([a-z]\\)\\s*([^(]+?)(?=\\s*\\([a-z]\\)|$)", Pattern.CASE_INSENSITIVE);

    /**
     * One row.
     *
     * @param options as written, {@code (a) X (b) Y}
     * @param written the right option as written
     * @param label A or B
     * @param pattern visual pattern, empty when the table has none
     */
    record Row(
            int index, String question, String options, String written, String label, String pattern, Picture picture) {
        /** Options by letter. */
        Map<String, String> choices() {
            Map<String, String> choices = new LinkedHashMap<>();
            Matcher matcher = OPTION.matcher(options);
            while (matcher.find()) {
                choices.put(String.valueOf((char) ('A' + choices.size())), PythonStrings.strip(matcher.group(1)));
            }
            return choices;
        }

        /** The label as lmms-eval has it. */
        String correctedLabel() {
            return CORRECTED.getOrDefault(index, label);
        }
    }

    private final Path folder;
    private final List<Row> rows;
    private final List<Item> items;

    private MmvpQuestions(Path folder, List<Row> rows, Prompts prompts) {
        this.folder = folder;
        this.rows = List.copyOf(rows);
        this.items = rows.stream().map(row -> item(row, prompts)).toList();
    }

    static MmvpQuestions read(Path folder, Prompts prompts) {
        Path file = folder.resolve("Questions.csv");
        Path images = IMAGE_FOLDERS.stream()
                .map(folder::resolve)
                .filter(Files::isDirectory)
                .findFirst()
                .orElse(folder.resolve(IMAGE_FOLDERS.get(0)));
        List<Row> rows = new ArrayList<>();
        Map<Integer, String> seen = new TreeMap<>();
        for (Table.Row row : Table.read(file, ',').rows()) {
            Row question = row(row, images);
            String earlier = seen.putIfAbsent(question.index, row.place());
            if (earlier != null) {
                throw new BadInputException(
                        row.place() + ": index " + question.index + " stands twice, first in " + earlier);
            }
            rows.add(question);
        }
        if (rows.size() % 2 != 0) {
            throw new BadInputException(file + ": " + rows.size() + " rows, expected two for each pair");
        }
        return new MmvpQuestions(folder, rows, prompts);
    }

    private static Row row(Table.Row row, Path images) {
        if (row.cells().size() < 4) {
            throw new BadInputException(row.place() + ": " + row.cells().size()
                    + " columns, expected index, question, options, correct answer");
        }
        int index;
        try {
            index = Integer.parseInt(row.cell(0).strip());
        } catch (NumberFormatException e) {
            throw new BadInputException(row.place() + ": index \"" + row.cell(0) + "\", expected a whole number", e);
        }
        String written = row.cell(3);
        String answer = PythonStrings.strip(written).toLowerCase(Locale.ROOT);
        String label = answer.contains("(a)") || answer.equals("a")
                ? "A"
                : answer.contains("(b)") || answer.equals("b") ? "B" : "";
        if (label.isEmpty()) {
            throw new BadInputException(row.place() + ": correct answer \"" + written + "\", expected (a) or (b)");
        }
        return new Row(
                index, row.cell(1), row.cell(2), written, label, row.cell(4).strip(), image(images, index));
    }

    private static Picture image(Path images, int index) {
        return Picture.of(EXTENSIONS.stream()
                .map(extension -> images.resolve(index + extension))
                .filter(Files::isRegularFile)
                .findFirst()
                .orElse(images.resolve(index + ".jpg")));
    }

    private static Item item(Row row, Prompts prompts) {
        StringBuilder asked = new StringBuilder(row.question);
        if (prompts == Prompts.LLAVA) {
            asked.append(' ').append(row.options);
        } else {
            row.choices()
                    .forEach((letter, text) ->
                            asked.append('\n').append(letter).append(". ").append(text));
            asked.append(Prompts.LETTER);
        }
        return new Item(
                IntNode.valueOf(row.index),
                row.picture,
                row.question,
                asked.toString(),
                asked.toString(),
                prompts.maxNewTokens(Benchmark.MMVP),
                JsonLines.JSON.createObjectNode().put("answer", row.written));
    }

    /** What the authors ask their judge, which answers yes or no. */
    static String judgeMessage(Row row, String answer) {
        return "Given the following question " + row.question + " " + row.options + ", the correct answer is "
                + row.written + ". Does the following answer correctly answers the question, answer:" + answer + "?";
    }

    @Override
    public Benchmark benchmark() {
        return Benchmark.MMVP;
    }

    @Override
    public Path place() {
        return folder;
    }

    @Override
    public List<Item> items() {
        return items;
    }

    List<Row> rows() {
        return rows;
    }

    /** Whether it is the published set, whose wrong labels are known. */
    boolean isPublishedSize() {
        return rows.size() == PUBLISHED_ROWS
                && rows.stream().allMatch(row -> row.index >= 1 && row.index <= PUBLISHED_ROWS);
    }

    @Override
    public Result score(String model, List<String> texts, Rules rules, List<Path> judge) {
        return new MmvpScore(this, texts, rules).result(model, judge);
    }
}
