package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.Linear;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * A block of an MMDiT (Esser et al. 2024): condition tokens and patches with weights of their own, which attend to each other.
 *
 * @param context the stream of the condition
 * @param image the stream of the patches
 */
public record JointBlock(JointStream context, JointStream image) {
    /**
     * Shape of a block.
     *
     * @param width of a token
     * @param heads attention heads
     * @param normsHeads whether queries and keys are normed
     * @param attendsTwice whether patches attend to each other alone as well
     * @param isLast whether nothing of the condition is used behind it
     */
    public record Shape(long width, long heads, boolean normsHeads, boolean attendsTwice, boolean isLast) {
        /** A block of FLUX.1. */
        public static Shape ofFlux(long width, long heads) {
            return new Shape(width, heads, true, false, false);
        }
    }

    /** Reads a block under diffusers' names. */
    public static JointBlock of(Weights block, Shape shape) {
        long width = shape.width;
        Weights attention = block.at("attn");
        StreamAttention ofContext = new StreamAttention(
                projections(attention, shape, "add_q_proj", "add_k_proj", "add_v_proj"),
                norm(attention, shape, "norm_added_q", "norm_added_k"),
                shape.heads,
                shape.isLast ? null : Linear.of(attention.at("to_add_out"), width, width));
        Weights contextNorm = block.at("norm1_context");
        return new JointBlock(
                shape.isLast
                        ? new LastStream(contextNorm, ofContext, width)
                        : GatedStream.read(contextNorm, ofContext, null, block.at("ff_context"), width),
                GatedStream.read(
                        block.at("norm1"),
                        ofImage(attention, shape),
                        shape.attendsTwice ? ofImage(block.at("attn2"), shape) : null,
                        block.at("ff"),
                        width));
    }

    private static StreamAttention ofImage(Weights attention, Shape shape) {
        return new StreamAttention(
                projections(attention, shape, "to_q", "to_k", "to_v"),
                norm(attention, shape, "norm_q", "norm_k"),
                shape.heads,
                Linear.of(attention.at("to_out", 0), shape.width, shape.width));
    }

    private static SideBySide projections(Weights attention, Shape shape, String... names) {
        return SideBySide.apart(Arrays.stream(names)
                .map(name -> Linear.of(attention.at(name), shape.width, shape.width))
                .toArray(Linear[]::new));
    }

    private static QueryKeyNorm norm(Weights attention, Shape shape, String query, String key) {
        return shape.normsHeads
                ? QueryKeyNorm.of(attention.at(query), attention.at(key), shape.width / shape.heads)
                : QueryKeyNorm.NONE;
    }

    /**
     * Computes the block.
     *
     * @param x [batch, tokens, width]
     * @param vector [batch, width]
     * @param texts how many of the tokens are the condition's, which come first
     * @param turn what positions do to queries and keys
     * @return as x
     */
    public Tensor forward(Tensor x, Tensor vector, long texts, UnaryOperator<Tensor> turn) {
        long patches = x.size(1) - texts;
        List<Tensor> tokens = Tensors.split(x, 1, texts, patches);
        JointStream.Pass txt = context.pass(tokens.get(0), vector);
        JointStream.Pass img = image.pass(tokens.get(1), vector);
        Tensor attended =
                Scopes.returning(() -> txt.attended().followedBy(img.attended()).attend(turn));
        List<Tensor> taken = Tensors.split(attended, 1, texts, patches);
        return torch.cat(new TensorVector(txt.rest(taken.get(0)), img.rest(taken.get(1))), 1);
    }
}
