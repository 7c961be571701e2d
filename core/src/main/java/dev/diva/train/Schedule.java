package dev.diva.train;

/**
 * Learning rate as a pure function of the step, as transformers' {@code get_*_schedule_with_warmup} computes it: warm-up is linear and
 * starts at rate 0. Polynomial is the decay of segmentation models since DeepLab, with their power of 0.9.
 *
 * @param kind shape after the warm-up
 * @param lr peak rate
 * @param warmupSteps steps before the peak
 * @param totalSteps steps of the whole run
 * @param firstStep where it begins; the rate is 0 before
 */
public record Schedule(Kind kind, double lr, long warmupSteps, long totalSteps, long firstStep) {
    /** Shape after the warm-up. */
    public enum Kind {
        CONSTANT,
        LINEAR,
        COSINE,
        POLYNOMIAL
    }

    private static final double POWER = 0.9;

    public Schedule {
        if (!(lr >= 0) || warmupSteps < 0 || totalSteps < 1 || firstStep < 0) {
            throw new IllegalArgumentException("lr " + lr + ", warmupSteps " + warmupSteps + ", totalSteps "
                    + totalSteps + ", firstStep " + firstStep);
        }
    }

    /** From the first step on. */
    public Schedule(Kind kind, double lr, long warmupSteps, long totalSteps) {
        this(kind, lr, warmupSteps, totalSteps, 0);
    }

    /** Warm-up of a share of the steps, rounded up. */
    public static long warmupSteps(double ratio, long totalSteps) {
        return (long) Math.ceil(ratio * totalSteps);
    }

    /** Rate of a step, counted from 0. */
    public double rate(long step) {
        if (step < firstStep) {
            return 0;
        }
        long since = step - firstStep;
        if (since < warmupSteps) {
            return lr * ((double) since / Math.max(1, warmupSteps));
        }
        double rest = Math.max(1, totalSteps - firstStep - warmupSteps);
        return lr
                * switch (kind) {
                    case CONSTANT -> 1.0;
                    case LINEAR -> Math.max(0.0, (totalSteps - step) / rest);
                    case POLYNOMIAL -> Math.pow(Math.max(0.0, (totalSteps - step) / rest), POWER);
                    case COSINE -> Math.max(0.0, 0.5 * (1.0 + Math.cos(Math.PI * ((since - warmupSteps) / rest))));
                };
    }
}
