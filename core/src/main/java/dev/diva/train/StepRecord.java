package dev.diva.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What happened in a step.
 *
 * @param step counted from 0
 * @param losses of each draw in order
 * @param penalties what the gradient came from beside them, by name, each the mean over the step
 * @param gradNorm before clipping
 * @param lr rate of this step
 * @param seconds that the step took
 * @param stepImages images of this step
 */
public record StepRecord(
        long step,
        List<Double> losses,
        Map<String, Double> penalties,
        double gradNorm,
        double lr,
        double seconds,
        long stepImages) {
    public StepRecord {
        losses = List.copyOf(losses);
        penalties = Collections.unmodifiableMap(new LinkedHashMap<>(penalties));
    }

    /** Mean over the draws. */
    public double loss() {
        return losses.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }

    /** Seen so far. */
    public long images() {
        return (step + 1) * stepImages;
    }

    /** Speed of this step. */
    public double imagesPerSecond() {
        return stepImages / seconds;
    }
}
