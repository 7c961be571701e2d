package dev.diva.eval;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Metrics of one model on one set while they are put together. */
final class Scores {
    private final Map<String, Double> metrics = new LinkedHashMap<>();
    private final Map<String, Interval> intervals = new LinkedHashMap<>();
    private final Map<String, boolean[]> answers = new LinkedHashMap<>();

    void put(String name, double value, Interval interval) {
        metrics.put(name, value);
        intervals.put(name, interval);
    }

    /** A share with Wilson's interval. */
    void putShare(String name, int count, int total) {
        put(name, (double) count / total, Interval.wilson(count, total));
    }

    void answers(String name, boolean[] sheet) {
        answers.put(name, sheet);
    }

    Result result(String model, String data, List<String> warnings) {
        return new Result(model, data, metrics, intervals, answers, null, warnings);
    }
}
