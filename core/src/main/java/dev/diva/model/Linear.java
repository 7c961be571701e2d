package dev.diva.model;

import dev.diva.checkpoint.LowRank;
import dev.diva.checkpoint.Weights;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** y = x W^T + b in the type of x. */
public final class Linear {
    /** From which a product is worth the other way in every type; far below, laying out the weight anew costs more than it saves. */
    private static final long MANY_ROWS = 2048;

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
        TensorOptional b = bias == null ? new TensorOptional() : new TensorOptional(bias.to(x.scalar_type()));
        Tensor y = isFasterAsConvolution(x) ? convolution(x, w, b) : torch.linear(x, w, b);
        return adapter == null ? y : y.add(adapter.forward(x));
    }

    /**
     * Whether the product goes through oneDNN's convolutions on a CPU: libtorch's fp32 products use half of the width of AVX-512, and its
     * bf16 products of many rows are a fifth slower, as long as no gradient follows.
     */
    private static boolean isFasterAsConvolution(Tensor x) {
        return !x.is_cuda()
                && x.numel() / x.size(-1) >= MANY_ROWS
                && (x.scalar_type().intern() == ScalarType.Float || !GradMode.is_enabled());
    }

    /** The rows as pixels of one image, the last axis as its channels, channels last: a view. */
    private static Tensor convolution(Tensor x, Tensor w, TensorOptional b) {
        long in = w.size(1);
        long out = w.size(0);
        Tensor image = x.reshape(1, -1, 1, in).permute(0, 3, 1, 2);
        Tensor y = torch.conv2d(
                image, w.view(out, in, 1, 1), b, new long[] {1, 1}, new long[] {0, 0}, new long[] {1, 1}, 1);
        long[] shape = x.shape();
        shape[shape.length - 1] = out;
        return y.permute(0, 2, 3, 1).reshape(shape);
    }
}
