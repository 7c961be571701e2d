package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Residual;
import dev.diva.engine.Scopes;
import dev.diva.model.LayerNorm;
import org.bytedeco.pytorch.Tensor;

/** Self-attention, attention to the condition, MLP; each on the norm of its input and added to it. */
public final class TransformerBlock {
    private static final double NORM_EPS = 1e-5;

    private final LayerNorm norm1;
    private final MultiHeadAttention selfAttention;
    private final LayerNorm norm2;
    private final MultiHeadAttention crossAttention;
    private final LayerNorm norm3;
    private final FeedForward feedForward;

    public TransformerBlock(Weights weights, long width, long heads, long conditionWidth) {
        this.norm1 = new LayerNorm(weights.at("norm1"), width, NORM_EPS);
        this.selfAttention =
                new MultiHeadAttention(weights.at("attn1"), new MultiHeadAttention.Shape(width, width, heads, false));
        this.norm2 = new LayerNorm(weights.at("norm2"), width, NORM_EPS);
        this.crossAttention = new MultiHeadAttention(
                weights.at("attn2"), new MultiHeadAttention.Shape(width, conditionWidth, heads, false));
        this.norm3 = new LayerNorm(weights.at("norm3"), width, NORM_EPS);
        this.feedForward = FeedForward.geglu(weights.at("ff"), width);
    }

    /**
     * Applies the block.
     *
     * @param x [batch, tokens, width]
     * @param condition [batch, conditionTokens, conditionWidth]
     * @return [batch, tokens, width]
     */
    public Tensor forward(Tensor x, Tensor condition) {
        Tensor attended = Scopes.returning(() -> {
            Tensor normed = norm1.forward(x);
            return Residual.add(selfAttention.forward(normed, normed), x);
        });
        Tensor conditioned = Scopes.returning(
                () -> Residual.add(crossAttention.forward(norm2.forward(attended), condition), attended));
        return Scopes.returning(() -> Residual.add(feedForward.forward(norm3.forward(conditioned)), conditioned));
    }
}
