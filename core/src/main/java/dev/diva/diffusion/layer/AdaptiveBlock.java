package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Kernels;
import dev.diva.engine.Scopes;
import dev.diva.model.Activation;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A block of DiT ({@code ada_norm_zero}): self-attention and MLP whose shifts, scales and gates are made from timestep and class. Every
 * block has its own embedders of both.
 */
public final class AdaptiveBlock {
    private static final long FREQUENCIES = 256;
    private static final double NORM_EPS = 1e-6;
    private static final int SHIFTS_SCALES_GATES = 6;

    private final SinusoidalEmbedding timestep = new SinusoidalEmbedding(FREQUENCIES, true, 1);
    private final EmbeddingMlp timestepMlp;
    private final Tensor classTable; // [classes + 1, width]; the last row stands for no class
    private final Linear modulation;
    private final LayerNorm norm1;
    private final MultiHeadAttention attention;
    private final LayerNorm norm3;
    private final FeedForward feedForward;

    /**
     * Shape of a block.
     *
     * @param width of a token
     * @param heads attention heads
     * @param classes labels
     * @param normEps of the norm before the MLP
     */
    public record Shape(long width, long heads, long classes, double normEps) {}

    public AdaptiveBlock(Weights weights, Shape shape) {
        long width = shape.width;
        Weights norm = weights.at("norm1");
        this.timestepMlp = new EmbeddingMlp(norm.at("emb").at("timestep_embedder"), FREQUENCIES, width);
        this.classTable =
                norm.at("emb").at("class_embedder").at("embedding_table").matrix("weight", shape.classes + 1, width);
        this.modulation = Linear.of(norm.at("linear"), width, SHIFTS_SCALES_GATES * width);
        this.norm1 = LayerNorm.withoutWeights(width, NORM_EPS);
        this.attention = new MultiHeadAttention(
                weights.at("attn1"), new MultiHeadAttention.Shape(width, width, shape.heads, true));
        this.norm3 = LayerNorm.withoutWeights(width, shape.normEps);
        this.feedForward = FeedForward.of(weights.at("ff"), width, Activation.GELU_TANH);
    }

    /**
     * What this block knows of timestep and class.
     *
     * @param timesteps [batch]
     * @param labels int64 [batch]
     * @param dtype of the result
     * @return [batch, width]
     */
    public Tensor embedding(Tensor timesteps, Tensor labels, ScalarType dtype) {
        return Scopes.returning(() -> timestepMlp
                .forward(timestep.forward(timesteps).to(dtype))
                .add(Kernels.embedding(classTable, labels).to(dtype)));
    }

    /**
     * Applies the block.
     *
     * @param x [batch, tokens, width]
     * @param embedding [batch, width]
     * @return [batch, tokens, width]
     */
    public Tensor forward(Tensor x, Tensor embedding) {
        return Scopes.returning(() -> {
            // Shift, scale, gate of the attention, then of the MLP; each [batch, 1, width].
            TensorVector m =
                    modulation.forward(torch.silu(embedding)).unsqueeze(1).chunk(SHIFTS_SCALES_GATES, -1);
            Tensor normed = modulated(norm1.forward(x), m.get(0), m.get(1));
            Tensor attended = x.add(attention.forward(normed, normed).mul(m.get(2)));
            Tensor inner = modulated(norm3.forward(attended), m.get(3), m.get(4));
            return attended.add(feedForward.forward(inner).mul(m.get(5)));
        });
    }

    /** x (1 + scale) + shift. */
    public static Tensor modulated(Tensor x, Tensor shift, Tensor scale) {
        return x.mul(scale.add(new Scalar(1))).add(shift);
    }
}
