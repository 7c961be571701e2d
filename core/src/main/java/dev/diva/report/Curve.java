package dev.diva.report;

import java.util.ArrayList;
import java.util.List;

/**
 * One quantity over the steps of a run.
 *
 * @param name key in metrics.jsonl
 * @param steps step of each value
 */
public record Curve(String name, String title, List<Double> steps, List<Double> values) {
    /** The curve in at most {@code limit} points, each the mean of as many neighbours; the mean of the whole does not move. */
    Curve downsampled(int limit) {
        if (steps.size() <= limit) {
            return this;
        }
        List<Double> shortSteps = new ArrayList<>();
        List<Double> shortValues = new ArrayList<>();
        for (int bucket = 0; bucket < limit; bucket++) {
            int from = (int) ((long) bucket * steps.size() / limit);
            int to = (int) ((long) (bucket + 1) * steps.size() / limit);
            shortSteps.add(steps.get(to - 1));
            shortValues.add(mean(values.subList(from, to)));
        }
        return new Curve(name, title, shortSteps, shortValues);
    }

    /** At most eight points over the run, first and last among them, for the table beside the plot. */
    public List<Integer> tableRows() {
        int count = Math.min(8, steps.size());
        List<Integer> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            rows.add(count == 1 ? 0 : (int) ((long) i * (steps.size() - 1) / (count - 1)));
        }
        return rows;
    }

    /** Mean of the values. */
    public double mean() {
        return mean(values);
    }

    /** Largest value. */
    public double largest() {
        return values.stream().mapToDouble(Double::doubleValue).max().orElse(Double.NaN);
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }
}
