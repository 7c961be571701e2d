package dev.diva.eval.suite;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.eval.Interval;
import java.util.ArrayList;
import java.util.List;

/**
 * One figure of a cell.
 *
 * @param task name in records
 * @param name of the metric; {@code pairs} is the share of pairs of MMVP-VLM
 * @param value fraction 0..1
 * @param interval 95 %, or null when the metric has none
 * @param answers right or wrong item by item, empty when the metric counts none
 * @param leading whether the task is known by it
 */
public record CellMetric(
        String model,
        String dataset,
        String task,
        String name,
        double value,
        Interval interval,
        boolean[] answers,
        boolean leading) {
    private static final String PAIRS = "pairs";

    /** The figures of a cell that {@link SuiteRun} wrote, in its order. */
    public static List<CellMetric> of(JsonNode cell) {
        List<CellMetric> metrics = new ArrayList<>();
        boolean pairs = cell.has("pairsCorrect");
        if (pairs) {
            double share =
                    cell.path("pairsCorrect").asDouble() / cell.path(PAIRS).asDouble();
            metrics.add(of(cell, PAIRS, share, true));
        }
        List<String> leading = pairs ? List.of() : SuiteTable.leading(cell);
        cell.path("metrics")
                .properties()
                .forEach(metric -> metrics.add(
                        of(cell, metric.getKey(), metric.getValue().asDouble(), leading.contains(metric.getKey()))));
        return metrics;
    }

    private static CellMetric of(JsonNode cell, String name, double value, boolean leading) {
        JsonNode ends = cell.path("intervals").path(name);
        return new CellMetric(
                cell.path("model").asText(),
                cell.path("dataset").asText(),
                cell.path("task").asText(),
                name,
                value,
                ends.size() == 2
                        ? new Interval(ends.get(0).asDouble(), ends.get(1).asDouble())
                        : null,
                Cell.sheet(cell, name),
                leading);
    }
}
