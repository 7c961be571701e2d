package dev.diva.model;

import dev.diva.checkpoint.Weights;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

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
        return torch.group_norm(x, groups, new TensorOptional(weight), new TensorOptional(bias), eps, false);
    }
}
