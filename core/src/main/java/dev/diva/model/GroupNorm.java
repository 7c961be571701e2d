package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Kernels;
import org.bytedeco.pytorch.Tensor;

/** Group normalisation of image features, computed in fp32 for every type of input. */
public final class GroupNorm {
    private final Tensor weight; // [channels]
    private final Tensor bias; // [channels]
    private final long groups;
    private final double eps;

    /** Reads {@code weight} and {@code bias}, both [channels]. */
    public GroupNorm(Weights weights, long channels, long groups, double eps) {
        if (channels % groups != 0) {
            throw new IllegalArgumentException(channels + " channels do not split into " + groups + " groups");
        }
        this.weight = weights.vector("weight", channels);
        this.bias = weights.vector("bias", channels);
        this.groups = groups;
        this.eps = eps;
    }

    /** Normalises [batch, channels, ...]; the result has the type of x. */
    public Tensor forward(Tensor x) {
        return Kernels.groupNorm(x, groups, weight, bias, eps);
    }

    /** silu of {@link #forward}. */
    public Tensor silu(Tensor x) {
        return Kernels.siluOfGroupNorm(x, groups, weight, bias, eps);
    }
}
