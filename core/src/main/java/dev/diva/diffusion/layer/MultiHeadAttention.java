package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Attention;
import dev.diva.model.Heads;
import dev.diva.model.Linear;
import dev.diva.model.RmsNorm;
import org.bytedeco.pytorch.Tensor;

/** Attention from tokens to tokens or to a condition, under diffusers' names {@code to_q}, {@code to_k}, {@code to_v}, {@code to_out.0}. */
public final class MultiHeadAttention {
    private static final double NORM_EPS = 1e-5;

    private final Linear queries;
    private final Linear keys;
    private final Linear values;
    private final Linear output;
    private final long heads;
    private final RmsNorm queryNorm; // over the whole width, or null
    private final RmsNorm keyNorm;
    private final Kernel kernel;

    /** How queries meet keys and values, each [batch, heads, tokens, headDim]. */
    public interface Kernel {
        /** [batch, heads, queries, headDim]. */
        Tensor attend(Tensor q, Tensor k, Tensor v);
    }

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
        this(weights, shape, false, MultiHeadAttention::softmax);
    }

    private MultiHeadAttention(Weights weights, Shape shape, boolean norms, Kernel kernel) {
        this.queries = linear(weights.at("to_q"), shape.width, shape);
        this.keys = linear(weights.at("to_k"), shape.contextWidth, shape);
        this.values = linear(weights.at("to_v"), shape.contextWidth, shape);
        this.output = Linear.of(weights.at("to_out", 0), shape.width, shape.width);
        this.heads = shape.heads;
        this.queryNorm = norms ? new RmsNorm(weights.at("norm_q"), shape.width, NORM_EPS) : null;
        this.keyNorm = norms ? new RmsNorm(weights.at("norm_k"), shape.width, NORM_EPS) : null;
        this.kernel = kernel;
    }

    /**
     * One of another kind.
     *
     * @param norms whether queries and keys are normed over all heads ({@code norm_q}, {@code norm_k})
     * @param kernel for instance {@link #softmax}
     */
    public static MultiHeadAttention of(Weights weights, Shape shape, boolean norms, Kernel kernel) {
        return new MultiHeadAttention(weights, shape, norms, kernel);
    }

    /** Weights by the softmax of products: the usual kernel. */
    public static Tensor softmax(Tensor q, Tensor k, Tensor v) {
        return Attention.attend(q, k, v, false);
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
        Tensor attended = kernel.attend(
                Heads.split(normed(queries.forward(x), queryNorm), heads),
                Heads.split(normed(keys.forward(context), keyNorm), heads),
                Heads.split(values.forward(context), heads));
        return output.forward(Heads.join(attended));
    }

    private static Tensor normed(Tensor x, RmsNorm norm) {
        return norm == null ? x : norm.forward(x);
    }
}
