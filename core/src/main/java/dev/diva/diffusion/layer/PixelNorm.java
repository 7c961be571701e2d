package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.RmsNorm;
import org.bytedeco.pytorch.Tensor;

/** Root mean square normalisation over the channels of every pixel. */
public final class PixelNorm {
    private static final double EPS = 1e-5;

    private final RmsNorm norm;

    /** Reads {@code weight} and {@code bias}, both [channels]. */
    public PixelNorm(Weights weights, long channels) {
        this.norm = RmsNorm.withBias(weights, channels, EPS);
    }

    /** [batch, channels, h, w] to the same. */
    public Tensor forward(Tensor x) {
        return Scopes.returning(
                () -> norm.forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).contiguous());
    }
}
