package dev.diva.model;

import dev.diva.checkpoint.LowRank;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Int8Linear;
import dev.diva.engine.Int8Rows;
import dev.diva.engine.Int8Weight;
import dev.diva.engine.OneDnnLinear;
import dev.diva.engine.Pointwise;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** y = x W^T + b in the type of x. */
public final class Linear {
    private final Tensor weight; // [out, in], in any type
    private final Tensor bias; // [out] or null
    private final LowRank adapter; // or null
    private final Int8Weight int8; // in place of the weight, or null

    private Linear(Tensor weight, Tensor bias, LowRank adapter, Int8Weight int8) {
        this.weight = weight;
        this.bias = bias;
        this.adapter = adapter;
        this.int8 = int8;
    }

    /** Reads {@code weight} [out, in] and {@code bias} [out]. */
    public static Linear of(Weights weights, long in, long out) {
        return weights.int8("weight", out, in)
                .map(weight -> new Linear(null, weights.matrix("bias", out), null, weight))
                .orElseGet(() -> new Linear(
                        weights.linear("weight", out, in),
                        weights.matrix("bias", out),
                        adapter(weights, in, out),
                        null));
    }

    /** Reads {@code weight} [out, in] alone. */
    public static Linear withoutBias(Weights weights, long in, long out) {
        return weights.int8("weight", out, in)
                .map(weight -> new Linear(null, null, null, weight))
                .orElseGet(() -> new Linear(weights.linear("weight", out, in), null, adapter(weights, in, out), null));
    }

    /** Wraps tensors that are already there. */
    public static Linear of(Tensor weight, Tensor bias) {
        return new Linear(weight, bias, null, null);
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
        return forward(input(x));
    }

    /**
     * What several layers take alike; in int8 it is rounded once for all.
     *
     * @param x [..., in]
     * @param rounded null where real numbers are multiplied
     */
    record Input(Tensor x, Int8Rows rounded) {}

    /** For this layer, and for others of its kind. */
    Input input(Tensor x) {
        return new Input(x, int8 == null ? null : Int8Linear.rounded(x));
    }

    Tensor forward(Input input) {
        Tensor x = input.x;
        if (int8 != null) {
            return Int8Linear.forward(x, input.rounded, int8, bias, null);
        }
        return Scopes.returning(() -> adapter == null
                ? OneDnnLinear.orLibtorch(x, weightFor(x), biasFor(x))
                : adapter.forward(x, weightFor(x), bias, null));
    }

    /**
     * A function of {@link #forward}, without rounding between the two in int8, and in bf16 where no gradient follows. In fp32 both ways
     * take the same kernels, so that activations that are computed again are the same.
     */
    public Tensor forward(Tensor x, Activation activation) {
        return forward(input(x), activation);
    }

    Tensor forward(Input input, Activation activation) {
        Tensor x = input.x;
        if (int8 != null) {
            return Int8Linear.forward(x, input.rounded, int8, bias, activation.fused());
        }
        boolean isFused = x.scalar_type().intern() == ScalarType.BFloat16
                && !GradMode.is_enabled()
                && adapter == null
                && OneDnnLinear.isFaster(x);
        if (!isFused) {
            return activation.apply(forward(input));
        }
        return Scopes.returning(() -> OneDnnLinear.activated(x, weightFor(x), biasFor(x), activation.fused()));
    }

    /** A function, then this layer, which {@link #isAdapted}; what is between them is computed again for the gradient where that is one pass. */
    Tensor after(Activation activation, Tensor x) {
        return Pointwise.isOnePass(x)
                ? Scopes.returning(() -> adapter.forward(x, weightFor(x), bias, activation.fused()))
                : forward(activation.apply(x));
    }

    boolean isAdapted() {
        return adapter != null;
    }

    /** Of the caller's innermost scope, so that what was converted goes with it. */
    private Tensor weightFor(Tensor x) {
        return Tensors.as(weight, x.scalar_type());
    }

    private Tensor biasFor(Tensor x) {
        return bias == null ? null : bias.to(x.scalar_type());
    }
}
