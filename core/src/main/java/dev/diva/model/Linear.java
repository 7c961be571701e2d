package dev.diva.model;

import dev.diva.checkpoint.LowRank;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.OneDnnLinear;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** y = x W^T + b in the type of x. */
public final class Linear {
    private final Tensor weight; // [out, in]
    private final Tensor bias; // [out] or null
    private final LowRank adapter; // or null

    private Linear(Tensor weight, Tensor bias, LowRank adapter) {
        this.weight = weight;
        this.bias = bias;
        this.adapter = adapter;
    }

    /** Reads {@code weight} [out, in] and {@code bias} [out]. */
    public static Linear of(Weights weights, long in, long out) {
        return new Linear(weights.matrix("weight", out, in), weights.matrix("bias", out), adapter(weights, in, out));
    }

    /** Reads {@code weight} [out, in] alone. */
    public static Linear withoutBias(Weights weights, long in, long out) {
        return new Linear(weights.matrix("weight", out, in), null, adapter(weights, in, out));
    }

    /** Wraps tensors that are already there. */
    public static Linear of(Tensor weight, Tensor bias) {
        return new Linear(weight, bias, null);
    }

    private static LowRank adapter(Weights weights, long in, long out) {
        return weights.adapter(out, in).orElse(null);
    }

    /**
     * Applies the layer to the last axis.
     *
     * @param x [..., in]
     * @return [..., out]
     */
    public Tensor forward(Tensor x) {
        Tensor w = weight.to(x.scalar_type());
        Tensor b = biasFor(x);
        Tensor y = OneDnnLinear.isFaster(x)
                ? OneDnnLinear.forward(x, w, b)
                : torch.linear(x, w, b == null ? new TensorOptional() : new TensorOptional(b));
        return adapter == null ? y : y.add_(adapter.forward(x));
    }

    /**
     * A function of {@link #forward}; in bf16 without rounding between the two where no gradient follows. In fp32 both ways take the same
     * kernels, so that activations that are computed again are the same.
     */
    public Tensor forward(Tensor x, Activation activation) {
        boolean isFused = x.scalar_type().intern() == ScalarType.BFloat16
                && !GradMode.is_enabled()
                && adapter == null
                && OneDnnLinear.isFaster(x);
        if (!isFused) {
            return activation.apply(forward(x));
        }
        return OneDnnLinear.activated(x, weight.to(x.scalar_type()), biasFor(x), activation.fused());
    }

    private Tensor biasFor(Tensor x) {
        return bias == null ? null : bias.to(x.scalar_type());
    }
}
