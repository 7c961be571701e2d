package dev.diva.eval;

import java.util.List;
import java.util.Map;

/**
 * Scores of one model on one set of data; all values are fractions 0..1.
 *
 * @param intervals 95 %, by the name of the metric
 * @param patterns by visual pattern, empty when the task has none
 * @param pairs all pairs, null when the task has none
 * @param questions pair by pair, empty when the task has none
 * @param warnings what a reader of the scores must know
 */
public record Result(
        String model,
        String data,
        Map<String, Double> metrics,
        Map<String, Interval> intervals,
        Map<String, PairScore> patterns,
        PairScore pairs,
        List<Question> questions,
        List<String> warnings) {
    static Result ofMetrics(String model, String data, Map<String, Double> metrics, Map<String, Interval> intervals) {
        return new Result(model, data, metrics, intervals, Map.of(), null, List.of(), List.of());
    }
}
