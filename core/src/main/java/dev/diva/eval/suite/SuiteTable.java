package dev.diva.eval.suite;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.eval.McNemar;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** The cells of a suite side by side. */
public final class SuiteTable {
    private static final List<String> KEYS = List.of("dataset", "model", "pretrained", "task", "language");

    private final List<JsonNode> cells;

    public SuiteTable(List<JsonNode> cells) {
        this.cells = List.copyOf(cells);
    }

    private static List<String> warnings(JsonNode cell) {
        List<String> warnings = new ArrayList<>();
        cell.path("warnings").forEach(warning -> warnings.add(warning.asText()));
        return warnings;
    }

    /**
     * Refuses to put the table where another kind of file is.
     *
     * @throws BadInputException when one is
     */
    public static void requireOurs(Path csv) {
        try (BufferedReader reader = Files.exists(csv) ? Files.newBufferedReader(csv) : null) {
            String header = reader == null ? null : reader.readLine();
            if (reader != null && (header == null || !header.startsWith(String.join(",", KEYS)))) {
                throw new BadInputException(csv + ": is no table of a suite and is not replaced; choose another --out");
            }
        } catch (IOException e) {
            throw new BadInputException(csv + ": cannot be read: " + e, e);
        }
    }

    /** A row per cell; a column per metric with its interval, empty where a task lacks it; at the end what data were missing. */
    public String csv() {
        Set<String> metrics = new LinkedHashSet<>();
        cells.forEach(cell -> cell.path("metrics").fieldNames().forEachRemaining(metrics::add));
        StringWriter text = new StringWriter();
        try (CSVPrinter csv = new CSVPrinter(text, CSVFormat.RFC4180)) {
            List<String> header = new ArrayList<>(KEYS);
            metrics.forEach(metric -> header.addAll(List.of(metric, metric + "_low", metric + "_high")));
            header.add("warnings");
            csv.printRecord(header);
            for (JsonNode cell : cells) {
                csv.printRecord(row(cell, metrics));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("a string cannot fail to be written", e);
        }
        return text.toString();
    }

    private static List<String> row(JsonNode cell, Set<String> metrics) {
        List<String> row = new ArrayList<>();
        KEYS.forEach(key -> row.add(cell.path(key).asText()));
        for (String metric : metrics) {
            JsonNode interval = cell.path("intervals").path(metric);
            row.add(cell.path("metrics").path(metric).asText(""));
            row.add(interval.path(0).asText(""));
            row.add(interval.path(1).asText(""));
        }
        row.add(String.join("; ", warnings(cell)));
        return row;
    }

    /**
     * A row per data set, task and leading metric, a column per model, in per cent (MME in points); later models with the exact p against the first; a star
     * and a note where data were missing.
     */
    public String text() {
        Map<String, Map<String, JsonNode>> rows = new LinkedHashMap<>();
        Set<String> models = new LinkedHashSet<>();
        for (JsonNode cell : cells) {
            models.add(cell.path("model").asText());
            for (String metric : leading(cell)) {
                String row = cell.path("dataset").asText() + " " + metric;
                rows.computeIfAbsent(row, key -> new LinkedHashMap<>())
                        .put(cell.path("model").asText(), cell);
            }
        }
        StringBuilder text = new StringBuilder(
                "| data, metric | " + String.join(" | ", models) + " |\n|---" + "|---".repeat(models.size()) + "|\n");
        rows.forEach((row, byModel) -> {
            String metric = row.substring(row.lastIndexOf(' ') + 1);
            text.append("| ").append(row).append(" |");
            models.forEach(model ->
                    text.append(' ').append(entry(byModel, model, metric)).append(" |"));
            text.append('\n');
        });
        Set<String> notes = new LinkedHashSet<>();
        cells.forEach(cell -> warnings(cell)
                .forEach(warning -> notes.add("* " + cell.path("dataset").asText() + ": " + warning)));
        notes.forEach(note -> text.append('\n').append(note));
        return text.append(notes.isEmpty() ? "" : "\n").toString();
    }

    /** The metric that a task is known by; both directions of retrieval. */
    static List<String> leading(JsonNode cell) {
        List<String> names = new ArrayList<>();
        cell.path("metrics").fieldNames().forEachRemaining(names::add);
        return names.subList(
                0, Math.min(names.size(), cell.path("task").asText().equals("zeroshot_retrieval") ? 2 : 1));
    }

    private static String entry(Map<String, JsonNode> byModel, String model, String metric) {
        JsonNode cell = byModel.get(model);
        if (cell == null || !cell.path("metrics").has(metric)) {
            return "failed";
        }
        JsonNode points = cell.path("points").path(metric); // of MME
        double score = points.isNumber()
                ? points.asDouble()
                : 100 * cell.path("metrics").path(metric).asDouble();
        String value = String.format(Locale.ROOT, "%.2f", score)
                + (cell.path("warnings").isEmpty() ? "" : "*");
        JsonNode first = byModel.values().iterator().next();
        String sheet = sheet(cell, metric);
        boolean[] before = Cell.sheet(first, sheet);
        boolean[] after = Cell.sheet(cell, sheet);
        if (first.path("model").asText().equals(model) || before.length != after.length || before.length == 0) {
            return value;
        }
        McNemar test = McNemar.of(before, after);
        return value + String.format(Locale.ROOT, " (+%d -%d, p = %.3g)", test.gained(), test.lost(), test.p());
    }

    /** What the paired test of a metric rests on: its own answers, else pairs (their average), else all questions (F1). */
    private static String sheet(JsonNode cell, String metric) {
        return Stream.of(metric, "pairs")
                .filter(name -> cell.path("answers").has(name))
                .findFirst()
                .orElse("questions");
    }
}
