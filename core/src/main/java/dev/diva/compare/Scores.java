package dev.diva.compare;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.eval.suite.CellMetric;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The figures of all cells by metric and model. */
public final class Scores {
    private final Map<Metric, Map<String, CellMetric>> figures = new LinkedHashMap<>();

    /**
     * What is measured.
     *
     * @param task name in records
     */
    public record Metric(String dataset, String task, String name) {}

    /** @param cells as {@code SuiteRun} wrote them */
    public Scores(List<JsonNode> cells) {
        for (JsonNode cell : cells) {
            for (CellMetric figure : CellMetric.of(cell)) {
                figures.computeIfAbsent(
                                new Metric(figure.dataset(), figure.task(), figure.name()),
                                metric -> new LinkedHashMap<>())
                        .put(figure.model(), figure);
            }
        }
    }

    /** All metrics, in the order of the suite. */
    List<Metric> metrics() {
        return List.copyOf(figures.keySet());
    }

    /** Names of the metrics of a data set. */
    List<String> metricsOf(String dataset) {
        return figures.keySet().stream()
                .filter(metric -> metric.dataset.equals(dataset))
                .map(Metric::name)
                .distinct()
                .toList();
    }

    /** The metrics that tasks are known by. */
    List<Metric> leading() {
        return figures.entrySet().stream()
                .filter(entry -> entry.getValue().values().iterator().next().leading())
                .map(Map.Entry::getKey)
                .toList();
    }

    /** The figure of a model, if its cell is there. */
    Optional<CellMetric> of(Metric metric, String model) {
        return Optional.ofNullable(figures.getOrDefault(metric, Map.of()).get(model));
    }
}
