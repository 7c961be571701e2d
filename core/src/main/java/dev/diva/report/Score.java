package dev.diva.report;

import java.util.Optional;

/**
 * One figure of one model.
 *
 * @param value fraction 0..1
 * @param interval 95 % interval, null when the record has none
 * @param correct pairs answered, null when the figure is not a count
 * @param total pairs asked, null when the figure is not a count
 */
public record Score(double value, Interval interval, Integer correct, Integer total) {
    /** The share {@code correct / total} with Wilson's interval. */
    public static Score ofCount(int correct, int total) {
        return new Score((double) correct / total, Interval.wilson(correct, total), correct, total);
    }

    /** The same score with the interval of the record where it has one. */
    Score within(Optional<Interval> recorded) {
        return new Score(value, recorded.orElse(interval), correct, total);
    }

    /** Whether {@link #correct} and {@link #total} are known. */
    public boolean counted() {
        return correct != null && total != null;
    }
}
