package dev.diva.train;

import java.util.List;

/**
 * What happened in a step.
 *
 * @param step counted from 0
 * @param losses of each draw in order
 * @param gradNorm before clipping
 * @param lr rate of this step
 * @param images seen so far
 * @param seconds that the step took
 * @param stepImages images of this step
 */
public record StepRecord(
        long step, List<Double> losses, double gradNorm, double lr, long images, double seconds, long stepImages) {
    public StepRecord {
        losses = List.copyOf(losses);
    }

    /** Mean over the draws. */
    public double loss() {
        return losses.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }

    /** Speed of this step. */
    public double imagesPerSecond() {
        return stepImages / seconds;
    }
}
