package dev.diva.model;

import dev.diva.checkpoint.Weights;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** Layer normalisation over the last axis, computed in fp32 for every type of input. */
public final class LayerNorm {
    private final Tensor weight; // [width]
    private final Tensor bias; // [width]
    private final long width;
    private final double eps;

    /** Reads {@code weight} and {@code bias}, both [width]. */
    public LayerNorm(Weights weights, long width, double eps) {
        this.weight = weights.vector("weight", width);
        this.bias = weights.vector("bias", width);
        this.width = width;
        this.eps = eps;
    }

    /** Normalises [..., width]; the result has the type of x. */
    public Tensor forward(Tensor x) {
        return torch.layer_norm(
                x, new long[] {width}, new TensorOptional(weight), new TensorOptional(bias), eps, false);
    }
}
