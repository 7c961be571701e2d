package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.Conv2d;
import dev.diva.model.GroupNorm;
import dev.diva.model.Linear;
import org.bytedeco.pytorch.Tensor;

/** x + conv(silu(norm(conv(silu(norm(x))) + time))), with a 1 x 1 convolution on the way past where the channels change. */
public final class ResnetBlock {
    private final GroupNorm norm1;
    private final Conv2d conv1;
    private final Linear timeProjection; // null in autoencoders
    private final GroupNorm norm2;
    private final Conv2d conv2;
    private final Conv2d shortcut; // null where in = out

    /**
     * What all blocks of a model share.
     *
     * @param timeWidth of the time embedding; 0 for none
     * @param normGroups groups of each norm
     * @param normEps added to the variance
     */
    public record Shape(long timeWidth, long normGroups, double normEps) {}

    public ResnetBlock(Weights weights, long in, long out, Shape shape) {
        this.norm1 = new GroupNorm(weights.at("norm1"), in, shape.normGroups, shape.normEps);
        this.conv1 = Conv2d.of(weights.at("conv1"), in, out, Conv2d.Geometry.SAME_3);
        this.timeProjection =
                shape.timeWidth == 0 ? null : Linear.of(weights.at("time_emb_proj"), shape.timeWidth, out);
        this.norm2 = new GroupNorm(weights.at("norm2"), out, shape.normGroups, shape.normEps);
        this.conv2 = Conv2d.of(weights.at("conv2"), out, out, Conv2d.Geometry.SAME_3);
        this.shortcut = in == out ? null : Conv2d.of(weights.at("conv_shortcut"), in, out, Conv2d.Geometry.POINT);
    }

    /** The block of an autoencoder: [batch, in, h, w] to [batch, out, h, w]. */
    public Tensor forward(Tensor x) {
        return forward(x, null);
    }

    /**
     * Applies the block.
     *
     * @param x [batch, in, h, w]
     * @param activatedTime silu of the time embedding, [batch, timeWidth]
     * @return [batch, out, h, w]
     */
    public Tensor forward(Tensor x, Tensor activatedTime) {
        return Scopes.returning(() -> {
            Tensor h = conv1.forward(norm1.silu(x));
            if (timeProjection != null) {
                h = h.add_(timeProjection.forward(activatedTime).unsqueeze(-1).unsqueeze(-1));
            }
            h = conv2.forward(norm2.silu(h));
            return h.add_(shortcut == null ? x : shortcut.forward(x));
        });
    }
}
