package dev.diva.report;

import java.util.List;

/**
 * One line of a table of scores and of the plot beside it.
 *
 * @param scores one score a model, null where a model has none
 */
public record ScoreRow(String label, List<Score> scores) {
    /** Last model less first, as a fraction; NaN when either is missing. */
    public double change() {
        Score first = scores.get(0);
        Score last = scores.get(scores.size() - 1);
        return first == null || last == null || scores.size() < 2 ? Double.NaN : last.value() - first.value();
    }

    /** What the intervals say of the change, empty when there is nothing to compare. */
    public String reading() {
        if (Double.isNaN(change())) {
            return "";
        }
        return Verdict.ofIntervals(scores.get(0), scores.get(scores.size() - 1)).words();
    }
}
