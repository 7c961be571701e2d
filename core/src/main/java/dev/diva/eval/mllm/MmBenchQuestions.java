package dev.diva.eval.mllm;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.eval.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * MMBench dev: a TSV (index, question, hint, A to D, answer, category, image in base64, ..., l2-category, split). Rows that share the
 * index modulo a million are rotations of one question's options.
 */
public final class MmBenchQuestions implements QuestionSet {
    private static final List<String> LETTERS = List.of("A", "B", "C", "D", "E");
    /** Cells that pandas takes for "no value". */
    private static final Set<String> NO_VALUE = Set.of(
            "",
            "#N/A",
            "#N/A N/A",
            "#NA",
            "-1.#IND",
            "-1.#QNAN",
            "-NaN",
            "-nan",
            "1.#IND",
            "1.#QNAN",
            "<NA>",
            "N/A",
            "NA",
            "NULL",
            "NaN",
            "None",
            "n/a",
            "nan",
            "null");

    private static final Map<Boolean, String> PUBLISHED =
            Map.of(false, "mmbench_dev_20230712.tsv", true, "mmbench_dev_cn_20231003.tsv");

    private final Path file;
    private final boolean chinese;
    private final List<MmBenchRow> rows;
    private final List<Item> items;

    private MmBenchQuestions(Path file, boolean chinese, List<MmBenchRow> rows, List<Item> items) {
        this.file = file;
        this.chinese = chinese;
        this.rows = List.copyOf(rows);
        this.items = List.copyOf(items);
    }

    static MmBenchQuestions read(Path folder, boolean chinese, Prompts prompts) {
        Path file = table(folder, chinese);
        Table table = Table.read(file, '\t');
        table.requireColumns(List.of("index", "question", "hint", "A", "B", "answer", "image"));
        Map<String, Picture> pictures = new HashMap<>();
        List<MmBenchRow> rows = new ArrayList<>();
        List<Item> items = new ArrayList<>();
        Map<Long, String> seen = new HashMap<>();
        for (Table.Row cells : table.rows()) {
            MmBenchRow row = row(cells);
            String earlier = seen.putIfAbsent(row.index(), cells.place());
            if (earlier != null) {
                throw new BadInputException(
                        cells.place() + ": index " + row.index() + " stands twice, first in " + earlier);
            }
            rows.add(row);
            items.add(item(cells, row, pictures, prompts, chinese));
        }
        return new MmBenchQuestions(file, chinese, rows, items);
    }

    private static Path table(Path folder, boolean chinese) {
        Path published = folder.resolve(PUBLISHED.get(chinese));
        if (Files.exists(published)) {
            return published;
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found = files.filter(file -> {
                        String name = file.getFileName().toString();
                        return name.endsWith(".tsv") && name.contains("dev") && name.contains("_cn") == chinese;
                    })
                    .sorted()
                    .toList();
            if (found.size() == 1) {
                return found.get(0);
            }
            throw new BadInputException(folder + ": expected " + published.getFileName() + " or one other *dev"
                    + (chinese ? "_cn" : "") + "*.tsv, found " + found.size());
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    private static MmBenchRow row(Table.Row cells) {
        Map<String, String> options = new LinkedHashMap<>();
        for (String letter : LETTERS) {
            String option = cells.cell(letter);
            if (!NO_VALUE.contains(option)) {
                options.put(letter, option);
            }
        }
        String answer = cells.cell("answer").strip();
        if (!LETTERS.contains(answer)) {
            throw new BadInputException(cells.place() + ": answer \"" + answer
                    + "\" is no letter of an option; only sets with answers (dev) can be scored");
        }
        return new MmBenchRow(
                index(cells.cell("index"), cells.place()),
                cells.cell("question"),
                options,
                answer,
                cells.cell("category"),
                cells.cell("l2-category"),
                cells.cell("split"));
    }

    static long index(String text, String place) {
        try {
            return Long.parseLong(text.strip().replaceFirst("\\.0$", ""));
        } catch (NumberFormatException e) {
            throw new BadInputException(place + ": index \"" + text + "\", expected a whole number", e);
        }
    }

    private static Item item(
            Table.Row cells, MmBenchRow row, Map<String, Picture> pictures, Prompts prompts, boolean chinese) {
        String hint = cells.cell("hint");
        hint = isNone(hint) ? "" : hint;
        Map<String, String> options = prompts == Prompts.LLAVA ? untilNone(row.options()) : row.options();
        String question = hint.isEmpty() ? row.question() : hint + "\n" + row.question();
        String listed = options.entrySet().stream()
                .map(option -> "\n" + option.getKey() + ". " + option.getValue())
                .reduce("", String::concat);
        String prompt = question + listed;
        boolean inChinese = prompts == Prompts.VLMEVALKIT ? hasHan(prompt) : chinese;
        String asked = prompt + (inChinese ? Prompts.LETTER_CN : Prompts.LETTER);
        if (prompts == Prompts.LMMS_EVAL) {
            prompt = (hint.isEmpty() ? "" : hint + " ") + row.question() + " "
                    + (chinese ? "有如下几个选项：" : "There are several options:") + listed;
            asked = prompt + "\n" + (chinese ? "\n请直接使用所提供的选项字母作为答案回答。" : Prompts.LETTER);
        }
        ObjectNode extra = JsonLines.JSON.createObjectNode().put("round_id", 0);
        ArrayNode texts = extra.putArray("options");
        options.values().forEach(texts::add);
        ArrayNode letters = extra.putArray("option_char");
        options.keySet().forEach(letters::add);
        Benchmark benchmark = chinese ? Benchmark.MMBENCH_CN : Benchmark.MMBENCH;
        return new Item(
                LongNode.valueOf(row.index()),
                picture(cells, pictures),
                row.question(),
                prompt,
                asked,
                prompts.maxNewTokens(benchmark),
                extra);
    }

    /** LLaVA's options end at the first cell without one. */
    private static Map<String, String> untilNone(Map<String, String> options) {
        Map<String, String> first = new LinkedHashMap<>();
        for (String letter : LETTERS.subList(0, 4)) {
            String option = options.getOrDefault(letter, "");
            if (isNone(option)) {
                break;
            }
            first.put(letter, option);
        }
        return first;
    }

    private static boolean isNone(String cell) {
        return NO_VALUE.contains(cell) || cell.equalsIgnoreCase("nan") || cell.equalsIgnoreCase("none");
    }

    private static boolean hasHan(String text) {
        return text.codePoints().anyMatch(c -> c >= 0x4E00 && c <= 0x9FFF);
    }

    /** Rotations repeat the image; it is held once. */
    private static Picture picture(Table.Row cells, Map<String, Picture> pictures) {
        String encoded = cells.cell("image");
        Picture known = pictures.get(encoded);
        if (known == null) {
            byte[] bytes;
            try {
                bytes = Base64.getMimeDecoder().decode(encoded);
            } catch (IllegalArgumentException e) {
                throw new BadInputException(cells.place() + ": image is no base64: " + e.getMessage(), e);
            }
            known = Picture.of(cells.place() + " image", bytes);
            pictures.put(encoded, known);
        }
        return known;
    }

    @Override
    public Benchmark benchmark() {
        return chinese ? Benchmark.MMBENCH_CN : Benchmark.MMBENCH;
    }

    @Override
    public Path place() {
        return file;
    }

    @Override
    public List<Item> items() {
        return items;
    }

    List<MmBenchRow> rows() {
        return rows;
    }

    @Override
    public Result score(String model, List<String> texts, Rules rules, List<Path> judge) {
        return new MmBenchScore(rows, texts, rules).result(model, file.toString());
    }
}
