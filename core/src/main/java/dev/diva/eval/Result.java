package dev.diva.eval;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Scores of one model on one set of data; all values are fractions 0..1.
 *
 * @param intervals 95 %, by the name of the metric
 * @param answers right or wrong item by item, by the name of the metric that counts them; what paired tests rest on
 * @param pairs patterns, questions and count of a set of pairs, null when the task has none
 * @param warnings what a reader of the scores must know
 * @param fullMarks of metrics that are counted in points, by name; their values are still fractions
 * @param classes what was right of each class, by its name, where the task has classes
 * @param samples what the model said of each image or caption, as records that are put together when asked for
 * @param gallery pictures of what changed, null where there are none
 */
public record Result(
        String model,
        String data,
        Map<String, Double> metrics,
        Map<String, Interval> intervals,
        Map<String, boolean[]> answers,
        PairResult pairs,
        List<String> warnings,
        Map<String, Integer> fullMarks,
        Map<String, ClassScore> classes,
        List<Supplier<Map<String, Object>>> samples,
        Gallery gallery) {
    /** A metric in points. */
    public double points(String name) {
        return metrics.get(name) * fullMarks.get(name);
    }

    /** The same with further warnings; none stands twice. */
    Result withWarnings(List<String> more) {
        List<String> all =
                Stream.concat(warnings.stream(), more.stream()).distinct().toList();
        return new Result(model, data, metrics, intervals, answers, pairs, all, fullMarks, classes, samples, gallery);
    }

    /** The same with pictures. */
    public Result with(Gallery pictures) {
        return new Result(
                model, data, metrics, intervals, answers, pairs, warnings, fullMarks, classes, samples, pictures);
    }
}
