package dev.diva.eval.mllm;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.eval.Result;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.dhatim.fastexcel.Workbook;
import org.dhatim.fastexcel.Worksheet;
import org.dhatim.fastexcel.reader.Cell;
import org.dhatim.fastexcel.reader.ReadableWorkbook;
import org.dhatim.fastexcel.reader.Row;

/**
 * The sheet that MMBench's server takes, as LLaVA writes it: index, question, A to D, prediction, answer, split. It holds the labels of
 * dev, so it can be scored alone.
 */
public final class UploadSheet {
    private static final List<String> OPTIONS = List.of("A", "B", "C", "D");
    private static final List<String> COLUMNS =
            List.of("index", "question", "A", "B", "C", "D", "prediction", "answer", "split");

    private UploadSheet() {}

    /** Writes the sheet. */
    public static void write(MmBenchQuestions set, List<String> texts, Path file) {
        AtomicFile.write(file, channel -> {
            Workbook book = new Workbook(Channels.newOutputStream(channel), "diva", "1.0");
            Worksheet sheet = book.newWorksheet("Sheet1");
            for (int column = 0; column < COLUMNS.size(); column++) {
                sheet.value(0, column, COLUMNS.get(column));
            }
            for (int i = 0; i < texts.size(); i++) {
                row(sheet, i + 1, set.rows().get(i), texts.get(i));
            }
            book.finish();
        });
    }

    private static void row(Worksheet sheet, int number, MmBenchRow row, String text) {
        sheet.value(number, 0, row.index());
        sheet.value(number, 1, row.question());
        for (int i = 0; i < OPTIONS.size(); i++) {
            String option = row.options().get(OPTIONS.get(i));
            if (option != null) {
                sheet.value(number, 2 + i, option);
            }
        }
        sheet.value(number, 6, text);
        sheet.value(number, 7, row.answer());
        sheet.value(number, 8, row.split());
    }

    /**
     * Scores a sheet that was written for the server.
     *
     * @throws BadInputException for a file that is no such sheet, repeated rows, or rows without an answer
     */
    public static Result score(Path file, String model, Rules rules) {
        List<MmBenchRow> rows = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        try (ReadableWorkbook book = new ReadableWorkbook(file.toFile());
                Stream<Row> stream = book.getFirstSheet().openStream()) {
            Map<String, Integer> columns = new HashMap<>();
            Map<Long, Integer> seen = new HashMap<>();
            stream.forEach(row -> {
                if (columns.isEmpty()) {
                    row.forEach(cell -> columns.put(text(cell), cell.getColumnIndex()));
                    requireColumns(file, columns);
                } else {
                    MmBenchRow read = read(file, row, columns);
                    Integer earlier = seen.putIfAbsent(read.index(), row.getRowNum());
                    if (earlier != null) {
                        throw new BadInputException(place(file, row) + ": index " + read.index()
                                + " stands twice, first in row " + earlier);
                    }
                    rows.add(read);
                    texts.add(cell(row, columns, "prediction"));
                }
            });
        } catch (IOException | RuntimeException e) {
            if (e instanceof BadInputException known) {
                throw known;
            }
            throw new BadInputException(file + ": cannot be read as an xlsx sheet: " + e.getMessage(), e);
        }
        if (rows.isEmpty()) {
            throw new BadInputException(file + ": no rows below the header");
        }
        return new MmBenchScore(rows, texts, rules).result(model, "sheets of mmbench");
    }

    private static void requireColumns(Path file, Map<String, Integer> columns) {
        for (String name : List.of("index", "A", "B", "prediction", "answer")) {
            if (!columns.containsKey(name)) {
                throw new BadInputException(file + ": no column \"" + name + "\"");
            }
        }
    }

    private static MmBenchRow read(Path file, Row row, Map<String, Integer> columns) {
        Map<String, String> options = new LinkedHashMap<>();
        for (String letter : OPTIONS) {
            String option = cell(row, columns, letter);
            if (!option.isEmpty()) {
                options.put(letter, option);
            }
        }
        return new MmBenchRow(
                MmBenchQuestions.index(cell(row, columns, "index"), place(file, row)),
                cell(row, columns, "question"),
                options,
                cell(row, columns, "answer"),
                cell(row, columns, "category"),
                cell(row, columns, "l2-category"),
                cell(row, columns, "split"));
    }

    private static String place(Path file, Row row) {
        return file + " row " + row.getRowNum();
    }

    private static String cell(Row row, Map<String, Integer> columns, String name) {
        Integer column = columns.get(name);
        return column == null
                ? ""
                : row.getOptionalCell(column).map(UploadSheet::text).orElse("");
    }

    private static String text(Cell cell) {
        String text = cell == null ? null : cell.getText();
        return text == null ? "" : text;
    }
}
