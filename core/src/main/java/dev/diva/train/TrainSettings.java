package dev.diva.train;

import java.util.OptionalDouble;

/**
 * Numbers of the loop.
 *
 * @param schedule learning rate of the tower; its total is the number of steps
 * @param projectionSchedule learning rate of the projection
 * @param accumulation micro-batches a step
 * @param maxGradNorm where gradients are clipped; NaN for not at all
 * @param checkpointEvery steps between checkpoints
 * @param projectionSteps first steps, in which the projection alone is changed
 * @param compactGradients whether gradients are kept in half of their memory where that loses nothing
 */
public record TrainSettings(
        Schedule schedule,
        Schedule projectionSchedule,
        int accumulation,
        double maxGradNorm,
        long checkpointEvery,
        long projectionSteps,
        boolean compactGradients) {
    private static final String PROJECTION = "visual_proj.";

    /** Gradients stay as they arrive. */
    public TrainSettings(
            Schedule schedule,
            Schedule projectionSchedule,
            int accumulation,
            double maxGradNorm,
            long checkpointEvery,
            long projectionSteps) {
        this(schedule, projectionSchedule, accumulation, maxGradNorm, checkpointEvery, projectionSteps, false);
    }

    public TrainSettings {
        if (accumulation < 1 || checkpointEvery < 1 || maxGradNorm <= 0) {
            throw new IllegalArgumentException("accumulation " + accumulation + ", checkpointEvery " + checkpointEvery
                    + ", maxGradNorm " + maxGradNorm);
        }
    }

    /** Whether a parameter is changed in a step. */
    public boolean learns(String parameter, long step) {
        return step >= projectionSteps || parameter.startsWith(PROJECTION);
    }

    /** Learning rate of a parameter in a step. */
    public double rate(String parameter, long step) {
        return (parameter.startsWith(PROJECTION) ? projectionSchedule : schedule).rate(step);
    }

    /** Where gradients are clipped, if at all. */
    public OptionalDouble clipping() {
        return Double.isNaN(maxGradNorm) ? OptionalDouble.empty() : OptionalDouble.of(maxGradNorm);
    }
}
