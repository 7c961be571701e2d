package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Division by the root mean square over the last axis, then a factor of each channel; fp32 for every type of input (arXiv 1910.07467). */
public final class RmsNorm {
    private final Tensor weight; // [width]
    private final Tensor bias; // [width] or null
    private final double eps;

    private RmsNorm(Tensor weight, Tensor bias, double eps) {
        this.weight = weight;
        this.bias = bias;
        this.eps = eps;
    }

    /** Reads {@code weight} [width]. */
    public RmsNorm(Weights weights, long width, double eps) {
        this(weights.vector("weight", width), null, eps);
    }

    /** Reads {@code weight} and {@code bias}, both [width]. */
    public static RmsNorm withBias(Weights weights, long width, double eps) {
        return new RmsNorm(weights.vector("weight", width), weights.vector("bias", width), eps);
    }

    /** Reads {@code weight} [width] of a norm that multiplies by 1 + weight: Gemma's. */
    public static RmsNorm aroundOne(Weights weights, long width, double eps) {
        Tensor stored = weights.vector("weight", width);
        return new RmsNorm(weights.keep(Scopes.returning(() -> stored.add(new Scalar(1)))), null, eps);
    }

    /** Normalises [..., width]; the result has the type of x. */
    public Tensor forward(Tensor x) {
        return Scopes.returning(() -> {
            Tensor wide = x.to(ScalarType.Float);
            Tensor meanSquare = wide.square().mean(new long[] {-1}, true, new ScalarTypeOptional());
            Tensor scaled = wide.mul(meanSquare.add(new Scalar(eps)).rsqrt()).mul(weight);
            return (bias == null ? scaled : scaled.add(bias)).to(x.scalar_type());
        });
    }
}
