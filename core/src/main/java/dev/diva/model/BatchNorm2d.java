package dev.diva.model;

import dev.diva.checkpoint.Weights;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Batch norm of channels by the stored mean and variance, as torch's evaluation mode computes it. Scale and shift may learn, the statistics
 * never do: a batch of post-training is too small to tell any.
 */
public final class BatchNorm2d {
    private static final double EPS = 1e-5; // torch's default, which timm keeps

    private final Tensor weight; // [channels]
    private final Tensor bias; // [channels]
    private final Tensor mean; // [channels]
    private final Tensor variance; // [channels]

    /** Reads {@code weight}, {@code bias}, {@code running_mean} and {@code running_var}. */
    public BatchNorm2d(Weights weights, long channels) {
        this.weight = weights.vector("weight", channels);
        this.bias = weights.vector("bias", channels);
        this.mean = weights.statistic("running_mean", channels);
        this.variance = weights.statistic("running_var", channels);
    }

    /** [batch, channels, height, width] to the same, in the type of x. */
    public Tensor forward(Tensor x) {
        Tensor scale = weight.mul(variance.add(new Scalar(EPS)).rsqrt());
        Tensor shift = bias.sub(mean.mul(scale));
        return x.mul(ofChannels(scale, x)).add_(ofChannels(shift, x));
    }

    private static Tensor ofChannels(Tensor values, Tensor x) {
        return values.to(x.scalar_type()).view(1, -1, 1, 1);
    }
}
