package dev.diva.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.eval.Interval;
import dev.diva.eval.McNemar;
import dev.diva.eval.suite.CellMetric;
import dev.diva.report.RunCost;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** A comparison as JSON and as CSV. Scores and changes are fractions, losses at gates points. */
final class ComparisonFiles {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> COLUMNS = List.of(
            "method",
            "dataset",
            "task",
            "metric",
            "value",
            "low",
            "high",
            "change",
            "change_low",
            "change_high",
            "gained",
            "lost",
            "p",
            "seeds",
            "steps",
            "images",
            "hours",
            "peak_gib",
            "pays_too_much");

    private ComparisonFiles() {}

    /** The start of every CSV of a comparison. */
    static String header() {
        return String.join(",", COLUMNS);
    }

    static ObjectNode json(Comparison comparison) {
        ObjectNode root = JSON.createObjectNode().put("untouched", comparison.untouchedModel());
        ArrayNode untouched = root.putArray("scores");
        comparison.untouched().forEach((metric, cell) -> {
            ObjectNode node = metric(comparison, metric, untouched.addObject()).put("value", cell.value());
            put(node, "interval", cell.interval());
        });
        ArrayNode methods = root.putArray("methods");
        comparison.rows().forEach(row -> methods.add(json(comparison, row)));
        return root;
    }

    private static ObjectNode json(Comparison comparison, Comparison.Row row) {
        ObjectNode node = JSON.createObjectNode().put("name", row.method().name());
        ArrayNode models = node.putArray("models");
        row.method().models().forEach(model -> models.add(model.name()));
        node.set("seeds", JSON.valueToTree(row.method().seeds()));
        ArrayNode costs = node.putArray("costs");
        row.method().costs().forEach(cost -> costs.add(JSON.<ObjectNode>valueToTree(cost)));
        ArrayNode scores = node.putArray("scores");
        row.figures().forEach((metric, figure) -> {
            ObjectNode score = metric(comparison, metric, scores.addObject()).put("value", figure.value());
            put(score, "interval", figure.interval());
            if (!Double.isNaN(figure.change())) {
                score.put("change", figure.change());
            }
            put(score, "changeInterval", figure.changeInterval());
            score.set("tests", JSON.valueToTree(figure.tests()));
        });
        ArrayNode gates = node.putArray("gates");
        row.gates().forEach(passage -> {
            ObjectNode gate = gates.addObject()
                    .put("dataset", passage.gate().dataset())
                    .put("metric", passage.gate().metric())
                    .put("maxLoss", passage.gate().maxLoss());
            if (!Double.isNaN(passage.loss())) {
                gate.put("loss", passage.loss()).put("tooMuch", passage.isTooMuch());
            }
        });
        return node.put("paysTooMuch", row.paysTooMuch());
    }

    private static ObjectNode metric(Comparison comparison, Scores.Metric metric, ObjectNode node) {
        return node.put("dataset", metric.dataset())
                .put("task", metric.task())
                .put("metric", metric.name())
                .put("leading", comparison.leading().contains(metric));
    }

    private static void put(ObjectNode node, String key, Interval interval) {
        if (interval != null) {
            node.putArray(key).add(interval.low()).add(interval.high());
        }
    }

    /** A row per method and metric, the untouched model first. Tests of several seeds stand behind each other. */
    static String csv(Comparison comparison) {
        StringWriter text = new StringWriter();
        try (CSVPrinter csv = new CSVPrinter(text, CSVFormat.RFC4180)) {
            csv.printRecord(COLUMNS);
            for (var score : comparison.untouched().entrySet()) {
                csv.printRecord(untouched(score.getKey(), score.getValue()));
            }
            for (Comparison.Row row : comparison.rows()) {
                for (var score : row.figures().entrySet()) {
                    csv.printRecord(record(row, score.getKey(), score.getValue()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("a string cannot fail to be written", e);
        }
        return text.toString();
    }

    private static List<Object> untouched(Scores.Metric metric, CellMetric cell) {
        List<Object> record = start("untouched", metric, cell.value(), cell.interval());
        record.addAll(Collections.nCopies(COLUMNS.size() - record.size(), ""));
        return record;
    }

    private static List<Object> record(Comparison.Row row, Scores.Metric metric, Figure figure) {
        List<Object> record = start(row.method().name(), metric, figure.value(), figure.interval());
        record.add(Double.isNaN(figure.change()) ? "" : figure.change());
        ends(record, figure.changeInterval());
        record.add(joined(figure.tests().stream().map(McNemar::gained).toList()));
        record.add(joined(figure.tests().stream().map(McNemar::lost).toList()));
        record.add(joined(figure.tests().stream().map(McNemar::p).toList()));
        record.add(joined(row.method().seeds()));
        RunCost cost = row.cost();
        record.addAll(
                cost == null
                        ? List.of("", "", "", "")
                        : List.of(cost.steps(), cost.images(), cost.hours(), cost.peakBytes() / (1L << 30)));
        record.add(row.gates().isEmpty() ? "" : row.paysTooMuch());
        return record;
    }

    private static List<Object> start(String method, Scores.Metric metric, double value, Interval interval) {
        List<Object> record = new ArrayList<>(List.of(method, metric.dataset(), metric.task(), metric.name(), value));
        ends(record, interval);
        return record;
    }

    private static void ends(List<Object> record, Interval interval) {
        record.add(interval == null ? "" : interval.low());
        record.add(interval == null ? "" : interval.high());
    }

    private static String joined(List<?> values) {
        return values.stream().map(Object::toString).collect(Collectors.joining(" "));
    }
}
