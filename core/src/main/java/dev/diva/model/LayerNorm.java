package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Kernels;
import org.bytedeco.pytorch.Tensor;

/** Layer normalisation over the last axis, computed in fp32 for every type of input. */
public final class LayerNorm {
    private final Tensor weight; // [width] or null
    private final Tensor bias; // [width] or null
    private final long width;
    private final double eps;

    /** Reads {@code weight} and {@code bias}, both [width]. */
    public LayerNorm(Weights weights, long width, double eps) {
        this(weights.vector("weight", width), weights.vector("bias", width), width, eps);
    }

    private LayerNorm(Tensor weight, Tensor bias, long width, double eps) {
        this.weight = weight;
        this.bias = bias;
        this.width = width;
        this.eps = eps;
    }

    /** Wraps tensors that are already there, both [width]. */
    public static LayerNorm of(Tensor weight, Tensor bias, double eps) {
        return new LayerNorm(weight, bias, weight.size(0), eps);
    }

    /** Normalises alone; what multiplies and what is added come from elsewhere. */
    public static LayerNorm withoutWeights(long width, double eps) {
        return new LayerNorm(null, null, width, eps);
    }

    /** Normalises [..., width]; the result has the type of x. */
    public Tensor forward(Tensor x) {
        return Kernels.layerNorm(x, width, weight, bias, eps);
    }
}
