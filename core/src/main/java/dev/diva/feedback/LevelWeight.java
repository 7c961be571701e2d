package dev.diva.feedback;

import dev.diva.diffusion.NoiseSchedule;

/** What a squared error counts at its noise level. */
public enum LevelWeight {
    /** As that of the prediction, whatever is predicted. */
    NONE,
    /** As that of the velocity that the prediction implies: the loss in which detail, known at high noise, is heard. */
    VELOCITY,
    /** As that of the noise that the prediction implies: the loss of most published teachers, hardly heard at high noise. */
    NOISE;

    /**
     * What a squared error of the prediction is multiplied by.
     *
     * @return 0 and more, infinite where the prediction says nothing of what counts
     */
    double of(NoiseSchedule schedule, int timestep) {
        return switch (this) {
            case NONE -> 1;
            case VELOCITY -> schedule.velocityWeight(timestep);
            case NOISE -> schedule.noiseWeight(timestep);
        };
    }
}
