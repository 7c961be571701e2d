package dev.diva.feedback;

/**
 * What a batch counts in a step.
 *
 * @param accumulation batches of a step, over all processes
 * @param scale of the gradient, so that the mean over the processes is that of one process
 * @param beforeLastPass called before the backward pass that completes the gradients of this process in the step
 */
public record Contribution(int accumulation, double scale, Runnable beforeLastPass) {
    /** Of a run of one process. */
    public static Contribution of(int accumulation) {
        return new Contribution(accumulation, 1, () -> {});
    }

    /** The same, with something more to do before the last backward pass. */
    public Contribution after(Runnable first) {
        return new Contribution(accumulation, scale, () -> {
            first.run();
            beforeLastPass.run();
        });
    }

    /** The same after {@link #beforeLastPass} was called. */
    public Contribution begun() {
        return new Contribution(accumulation, scale, () -> {});
    }
}
