package dev.diva.train;

import dev.diva.engine.BatchShard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * What a micro-batch counts in a step.
 *
 * @param shard rows that this process computes
 * @param accumulation micro-batches of a step, over all processes
 * @param scale of the gradient, so that the mean over the processes is that of one process
 * @param beforeLastPass called before the backward pass that completes the gradients of this process in the step
 */
public record Contribution(BatchShard shard, int accumulation, double scale, Runnable beforeLastPass) {
    /** Of a run of one process. */
    public static Contribution of(long rows, int accumulation) {
        return new Contribution(BatchShard.whole(rows), accumulation, 1, () -> {});
    }

    /** The same, with something more to do before the last backward pass. */
    public Contribution after(Runnable first) {
        return new Contribution(shard, accumulation, scale, () -> {
            first.run();
            beforeLastPass.run();
        });
    }

    /** The same after {@link #beforeLastPass} was called. */
    public Contribution begun() {
        return new Contribution(shard, accumulation, scale, () -> {});
    }

    /** What a mean over the rows is multiplied by. */
    public double factor() {
        return scale / accumulation;
    }

    /**
     * Back-propagates the only loss of a micro-batch, in one pass.
     *
     * @param loss mean over the rows, one number
     * @return it
     */
    public Losses backward(Tensor loss) {
        beforeLastPass.run();
        loss.mul(new Scalar(factor())).backward();
        return Losses.of(loss);
    }
}
