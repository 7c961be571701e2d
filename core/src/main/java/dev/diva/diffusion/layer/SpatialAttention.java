package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.GroupNorm;
import org.bytedeco.pytorch.Tensor;

/** x + attention of its pixels to each other with one head: the middle of an autoencoder. */
public final class SpatialAttention {
    private final GroupNorm norm;
    private final MultiHeadAttention attention;

    public SpatialAttention(Weights weights, long channels, ResnetBlock.Shape shape) {
        this.norm = new GroupNorm(weights.at("group_norm"), channels, shape.normGroups(), shape.normEps());
        this.attention = new MultiHeadAttention(weights, new MultiHeadAttention.Shape(channels, channels, 1, true));
    }

    /** [batch, channels, h, w] to the same. */
    public Tensor forward(Tensor x) {
        return Scopes.returning(() -> {
            Tensor tokens = PixelTokens.of(norm.forward(x));
            return x.add(PixelTokens.toImage(attention.forward(tokens, tokens), x));
        });
    }
}
