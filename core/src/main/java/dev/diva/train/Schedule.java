package dev.diva.train;

/**
 * Learning rate as a pure function of the step, as transformers' {@code get_*_schedule_with_warmup} computes it: warm-up is linear and
 * starts at rate 0. Polynomial is the decay of segmentation models since DeepLab, with their power of 0.9.
 *
 * @param kind shape after the warm-up
 * @param lr peak rate
 * @param warmupSteps steps before the peak
 * @param totalSteps steps of the whole run
 */
public record Schedule(Kind kind, double lr, long warmupSteps, long totalSteps) {
    /** Shape after the warm-up. */
    public enum Kind {
        CONSTANT,
        LINEAR,
        COSINE,
        POLYNOMIAL
    }

    private static final double POWER = 0.9;

    public Schedule {
        if (!(lr >= 0) || warmupSteps < 0 || totalSteps < 1) {
            throw new IllegalArgumentException(
                    "lr " + lr + ", warmupSteps " + warmupSteps + ", totalSteps " + totalSteps);
        }
    }

    /** Warm-up of a share of the steps, rounded up. */
    public static long warmupSteps(double ratio, long totalSteps) {
        return (long) Math.ceil(ratio * totalSteps);
    }

    /** Rate of a step, counted from 0. */
    public double rate(long step) {
        if (step < warmupSteps) {
            return lr * ((double) step / Math.max(1, warmupSteps));
        }
        double rest = Math.max(1, totalSteps - warmupSteps);
        return lr
                * switch (kind) {
                    case CONSTANT -> 1.0;
                    case LINEAR -> Math.max(0.0, (totalSteps - step) / rest);
                    case POLYNOMIAL -> Math.pow(Math.max(0.0, (totalSteps - step) / rest), POWER);
                    case COSINE -> Math.max(0.0, 0.5 * (1.0 + Math.cos(Math.PI * ((step - warmupSteps) / rest))));
                };
    }
}
