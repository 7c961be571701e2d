package dev.diva.eval;

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
}
