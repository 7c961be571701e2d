package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.Conv2d;
import dev.diva.model.GroupNorm;
import dev.diva.model.Linear;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/** x + the pixels of x as tokens through {@link TransformerBlock}s: diffusers' Transformer2DModel. */
public final class SpatialTransformer {
    private static final double NORM_EPS = 1e-6;

    private final GroupNorm norm;
    private final UnaryOperator<Tensor> toTokens; // [batch, channels, h, w] to [batch, h * w, channels]
    private final List<TransformerBlock> blocks = new ArrayList<>();
    private final Exit toImage;

    /**
     * Shape of a transformer over an image.
     *
     * @param channels of the image, a multiple of heads
     * @param heads attention heads
     * @param depth transformer blocks
     * @param conditionWidth width of a token of the condition
     * @param normGroups groups of the norm before the first block
     * @param linearProjection whether the projections around the blocks are linear layers (SD 2.x, SDXL) or 1 x 1 convolutions (SD 1.x)
     */
    public record Shape(
            long channels, long heads, int depth, long conditionWidth, long normGroups, boolean linearProjection) {}

    /** From tokens back to an image of the shape of another. */
    private interface Exit {
        Tensor image(Tensor tokens, Tensor like);
    }

    public SpatialTransformer(Weights weights, Shape shape) {
        long c = shape.channels;
        this.norm = new GroupNorm(weights.at("norm"), c, shape.normGroups, NORM_EPS);
        if (shape.linearProjection) {
            Linear in = Linear.of(weights.at("proj_in"), c, c);
            Linear out = Linear.of(weights.at("proj_out"), c, c);
            this.toTokens = x -> in.forward(PixelTokens.of(x));
            this.toImage = (tokens, like) -> PixelTokens.toImage(out.forward(tokens), like);
        } else {
            Conv2d in = Conv2d.of(weights.at("proj_in"), c, c, Conv2d.Geometry.POINT);
            Conv2d out = Conv2d.of(weights.at("proj_out"), c, c, Conv2d.Geometry.POINT);
            this.toTokens = x -> PixelTokens.of(in.forward(x));
            this.toImage = (tokens, like) -> out.forward(PixelTokens.toImage(tokens, like));
        }
        for (int i = 0; i < shape.depth; i++) {
            blocks.add(new TransformerBlock(weights.at("transformer_blocks", i), c, shape.heads, shape.conditionWidth));
        }
    }

    /**
     * Applies the blocks.
     *
     * @param x [batch, channels, h, w]
     * @param condition [batch, conditionTokens, conditionWidth]
     * @return [batch, channels, h, w]
     */
    public Tensor forward(Tensor x, Tensor condition) {
        return Scopes.returning(() -> {
            Tensor tokens = toTokens.apply(norm.forward(x));
            for (TransformerBlock block : blocks) {
                tokens = block.forward(tokens, condition);
            }
            return x.add(toImage.image(tokens, x));
        });
    }
}
