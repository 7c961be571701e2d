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
    private final double eps;

    /** Reads {@code weight} [width]. */
    public RmsNorm(Weights weights, long width, double eps) {
        this.weight = weights.vector("weight", width);
        this.eps = eps;
    }

    /** Normalises [..., width]; the result has the type of x. */
    public Tensor forward(Tensor x) {
        return Scopes.returning(() -> {
            Tensor wide = x.to(ScalarType.Float);
            Tensor meanSquare = wide.square().mean(new long[] {-1}, true, new ScalarTypeOptional());
            return wide.mul(meanSquare.add(new Scalar(eps)).rsqrt()).mul(weight).to(x.scalar_type());
        });
    }
}
