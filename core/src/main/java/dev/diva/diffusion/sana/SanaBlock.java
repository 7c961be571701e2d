package dev.diva.diffusion.sana;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.layer.AdaptiveBlock;
import dev.diva.diffusion.layer.GatedConvolution;
import dev.diva.diffusion.layer.LinearAttention;
import dev.diva.diffusion.layer.MultiHeadAttention;
import dev.diva.diffusion.layer.PatchTokens;
import dev.diva.engine.Scopes;
import dev.diva.model.LayerNorm;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/**
 * Linear attention of patches to each other, attention to the condition, gated convolution. Shifts, scales and gates of the first and the
 * last are made from the noise level for all blocks at once, and moved by a table of each block.
 */
final class SanaBlock {
    /** Shift, scale and gate of the attention, then of the convolution. */
    static final int PARTS = 6;

    private final Tensor table; // [PARTS, width]
    private final LayerNorm norm;
    private final MultiHeadAttention attention;
    private final MultiHeadAttention crossAttention;
    private final GatedConvolution convolution;

    /** @param weights the view under {@code transformer_blocks.N} */
    SanaBlock(Weights weights, SanaConfig config) {
        long width = config.width();
        this.table = weights.matrix("scale_shift_table", PARTS, width);
        this.norm = LayerNorm.withoutWeights(width, config.normEps());
        this.attention = MultiHeadAttention.of(
                weights.at("attn1"),
                new MultiHeadAttention.Shape(width, width, config.heads(), config.inputBias()),
                config.norms(),
                LinearAttention::attend);
        this.crossAttention = MultiHeadAttention.of(
                weights.at("attn2"),
                new MultiHeadAttention.Shape(width, width, config.crossHeads(), true),
                config.norms(),
                MultiHeadAttention::softmax);
        this.convolution = new GatedConvolution(weights.at("ff"), width, config.inner());
    }

    /**
     * Computes the block.
     *
     * @param x patches, [batch, rows * columns, width]
     * @param text condition tokens, [batch, tokens, width]
     * @param time of the noise level, [batch, PARTS, width]
     * @return as x
     */
    Tensor forward(Tensor x, Tensor text, Tensor time, long rows, long columns) {
        TensorVector m = time.add(table).chunk(PARTS, 1);
        Tensor attended = Scopes.returning(() -> {
            Tensor normed = AdaptiveBlock.modulated(norm.forward(x), m.get(0), m.get(1));
            return x.add(attention.forward(normed, normed).mul(m.get(2)));
        });
        Tensor told =
                Scopes.returning(() -> crossAttention.forward(attended, text).add(attended));
        return Scopes.returning(() -> {
            Tensor normed = AdaptiveBlock.modulated(norm.forward(told), m.get(3), m.get(4));
            Tensor convolved = convolution.forward(PatchTokens.toImage(normed, rows, columns, 1));
            return told.add(PatchTokens.of(convolved).mul(m.get(5)));
        });
    }
}
