package dev.diva.compare;

import dev.diva.eval.Bootstrap;
import dev.diva.eval.Interval;
import dev.diva.eval.McNemar;
import dev.diva.eval.suite.CellMetric;
import java.util.ArrayList;
import java.util.List;

/**
 * A method at one metric. With several seeds values are means and intervals Student's over the seeds; with one, the interval of the value is
 * that of its cell and the interval of the change is the paired bootstrap over the items.
 *
 * @param value fraction 0..1
 * @param interval 95 %, or null
 * @param change from the untouched model; NaN when that one has no such score
 * @param changeInterval 95 %, or null
 * @param tests McNemar's exact test of each seed against the untouched model; empty where the metric counts no items
 */
public record Figure(double value, Interval interval, double change, Interval changeInterval, List<McNemar> tests) {
    /** @param untouched its figure, or null */
    static Figure of(CellMetric untouched, List<CellMetric> seeds) {
        double[] values = seeds.stream().mapToDouble(CellMetric::value).toArray();
        double value = seeds.stream().mapToDouble(CellMetric::value).average().orElseThrow();
        double before = untouched == null ? Double.NaN : untouched.value();
        List<McNemar> tests = new ArrayList<>();
        for (CellMetric seed : seeds) {
            if (isPaired(untouched, seed)) {
                tests.add(McNemar.of(untouched.answers(), seed.answers()));
            }
        }
        if (values.length > 1) {
            Interval mean = Interval.ofMean(values);
            Interval change = untouched == null ? null : new Interval(mean.low() - before, mean.high() - before);
            return new Figure(value, mean, value - before, change, tests);
        }
        CellMetric only = seeds.get(0);
        Interval change = isPaired(untouched, only)
                ? Bootstrap.DEFAULT.pairedDifference(numbers(untouched.answers()), numbers(only.answers()))
                : null;
        return new Figure(value, only.interval(), value - before, change, tests);
    }

    private static boolean isPaired(CellMetric untouched, CellMetric later) {
        return untouched != null && later.answers().length > 0 && later.answers().length == untouched.answers().length;
    }

    private static double[] numbers(boolean[] answers) {
        double[] numbers = new double[answers.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = answers[i] ? 1 : 0;
        }
        return numbers;
    }
}
