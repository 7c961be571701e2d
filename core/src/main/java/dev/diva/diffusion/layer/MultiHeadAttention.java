package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Attention;
import dev.diva.model.Heads;
import dev.diva.model.Linear;
import org.bytedeco.pytorch.Tensor;

/** Attention from tokens to tokens or to a condition, under diffusers' names {@code to_q}, {@code to_k}, {@code to_v}, {@code to_out.0}. */
public final class MultiHeadAttention {
    private final Linear queries;
    private final Linear keys;
    private final Linear values;
    private final Linear output;
    private final long heads;

    /**
     * Widths of an attention.
     *
     * @param width of the tokens; a multiple of heads
     * @param contextWidth of what they attend to
     * @param heads attention heads
     * @param inputBias whether queries, keys and values have a bias
     */
    public record Shape(long width, long contextWidth, long heads, boolean inputBias) {}

    public MultiHeadAttention(Weights weights, Shape shape) {
        this.queries = linear(weights.at("to_q"), shape.width, shape);
        this.keys = linear(weights.at("to_k"), shape.contextWidth, shape);
        this.values = linear(weights.at("to_v"), shape.contextWidth, shape);
        this.output = Linear.of(weights.at("to_out", 0), shape.width, shape.width);
        this.heads = shape.heads;
    }

    private static Linear linear(Weights weights, long in, Shape shape) {
        return shape.inputBias ? Linear.of(weights, in, shape.width) : Linear.withoutBias(weights, in, shape.width);
    }

    /**
     * Attends.
     *
     * @param x [batch, tokens, width]
     * @param context [batch, contextTokens, contextWidth]; x itself for self-attention
     * @return [batch, tokens, width]
     */
    public Tensor forward(Tensor x, Tensor context) {
        Tensor attended = Attention.attend(
                Heads.split(queries.forward(x), heads),
                Heads.split(keys.forward(context), heads),
                Heads.split(values.forward(context), heads),
                false);
        return output.forward(Heads.join(attended));
    }
}
