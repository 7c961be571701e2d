package dev.diva.eval;

import java.util.Arrays;
import org.hipparchus.distribution.continuous.TDistribution;
import org.hipparchus.stat.interval.BinomialProportion;
import org.hipparchus.stat.interval.ConfidenceInterval;

/** A 95 % interval of a score. */
public record Interval(double low, double high) {
    /** The level of every interval that diva states. */
    public static final double LEVEL = 0.95;

    /** Wilson's score interval of {@code correct} out of {@code total}, which must be above 0. */
    public static Interval wilson(int correct, int total) {
        if (total < 1 || correct < 0 || correct > total) {
            throw new IllegalArgumentException(
                    correct + " of " + total + ", expected 0 <= correct <= total, total > 0");
        }
        ConfidenceInterval wilson = BinomialProportion.getWilsonScoreInterval(total, (double) correct / total, LEVEL);
        return new Interval(Math.max(0, wilson.getLowerBound()), Math.min(1, wilson.getUpperBound()));
    }

    /** Student's t-interval of the mean of independent values, for instance over seeds; there must be at least two. */
    public static Interval ofMean(double... values) {
        if (values.length < 2) {
            throw new IllegalArgumentException(values.length + " values, expected at least 2");
        }
        double mean = Arrays.stream(values).average().orElseThrow();
        double squares = Arrays.stream(values)
                .map(value -> (value - mean) * (value - mean))
                .sum();
        double error = Math.sqrt(squares / (values.length - 1) / values.length);
        double half = error * new TDistribution(values.length - 1).inverseCumulativeProbability((1 + LEVEL) / 2);
        return new Interval(mean - half, mean + half);
    }
}
