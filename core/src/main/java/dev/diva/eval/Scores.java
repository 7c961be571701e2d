package dev.diva.eval;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Metrics of one model on one set while they are put together. */
public final class Scores {
    private final Map<String, Double> metrics = new LinkedHashMap<>();
    private final Map<String, Interval> intervals = new LinkedHashMap<>();
    private final Map<String, boolean[]> answers = new LinkedHashMap<>();
    private final Map<String, Integer> fullMarks = new LinkedHashMap<>();
    private final Map<String, ClassScore> classes = new LinkedHashMap<>();
    private final List<Supplier<Map<String, Object>>> samples = new ArrayList<>();

    /** A value without an interval. */
    public void put(String name, double value) {
        metrics.put(name, value);
    }

    /** A value with its interval. */
    public void put(String name, double value, Interval interval) {
        metrics.put(name, value);
        intervals.put(name, interval);
    }

    /** A share with Wilson's interval. */
    public void putShare(String name, int count, int total) {
        put(name, (double) count / total, Interval.wilson(count, total));
    }

    /** A value and its interval in points of so many, kept as fractions. */
    public void putPoints(String name, double points, int full, Interval interval) {
        put(name, points / full, new Interval(interval.low() / full, interval.high() / full));
        fullMarks.put(name, full);
    }

    /** Right or wrong item by item, for paired tests. */
    public void answers(String name, boolean[] sheet) {
        answers.put(name, sheet);
    }

    /** What was right of the images of a class. */
    public void putClass(String name, ClassScore score) {
        classes.put(name, score);
    }

    /** What the model said of one image or caption; the record is put together when it is asked for, so that millions of them are small. */
    public void sample(Supplier<Map<String, Object>> record) {
        samples.add(record);
    }

    /** All that was put. */
    public Result result(String model, String data, List<String> warnings) {
        return result(model, data, warnings, null);
    }

    /** All that was put, with the record of a set of pairs. */
    public Result result(String model, String data, List<String> warnings, PairResult pairs) {
        return new Result(model, data, metrics, intervals, answers, pairs, warnings, fullMarks, classes, samples, null);
    }
}
