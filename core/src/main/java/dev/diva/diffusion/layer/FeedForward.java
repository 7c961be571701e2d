package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.model.Activation;
import dev.diva.model.Linear;
import org.bytedeco.pytorch.Tensor;

/** The MLP of a transformer block, four times as wide inside, under diffusers' names {@code net.0.proj}, {@code net.2}. */
public final class FeedForward {
    private static final long EXPANSION = 4;

    private final Linear in;
    private final Linear out;
    private final Activation activation;
    private final boolean gated;

    private FeedForward(Weights weights, long width, Activation activation, boolean gated) {
        long inner = EXPANSION * width;
        this.in = Linear.of(weights.at("net", 0).at("proj"), width, gated ? 2 * inner : inner);
        this.out = Linear.of(weights.at("net", 2), inner, width);
        this.activation = activation;
        this.gated = gated;
    }

    /** GEGLU: one half times the GELU of the other. UNets. */
    public static FeedForward geglu(Weights weights, long width) {
        return new FeedForward(weights, width, Activation.GELU, true);
    }

    /** The activation alone. DiT. */
    public static FeedForward of(Weights weights, long width, Activation activation) {
        return new FeedForward(weights, width, activation, false);
    }

    /** [batch, tokens, width] to the same. */
    public Tensor forward(Tensor x) {
        Tensor inner = in.forward(x);
        return out.forward(gated ? Geglu.apply(inner) : activation.apply(inner));
    }
}
