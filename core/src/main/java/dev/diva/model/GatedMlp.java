package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import org.bytedeco.pytorch.Tensor;

/** down(activation(gate(x)) * up(x)): SwiGLU of Llama and EVA-02, which has a norm before the last product, GEGLU of T5. */
public final class GatedMlp {
    private final Linear gate;
    private final Linear up;
    private final LayerNorm norm; // or null
    private final Linear down;
    private final Activation activation;

    private GatedMlp(Linear gate, Linear up, LayerNorm norm, Linear down, Activation activation) {
        this.gate = gate;
        this.up = up;
        this.norm = norm;
        this.down = down;
        this.activation = activation;
    }

    /**
     * Without a norm.
     *
     * @param gate of width to inner, as {@code up}
     * @param down of inner to width
     */
    public static GatedMlp of(Linear gate, Linear up, Linear down, Activation activation) {
        return new GatedMlp(gate, up, null, down, activation);
    }

    /** Of EVA-02, under the names of its code. */
    static GatedMlp normed(Weights weights, TransformerConfig config) {
        long width = config.hiddenSize();
        long inner = config.intermediateSize();
        return new GatedMlp(
                Linear.of(weights.at("fc1_gate"), width, inner),
                Linear.of(weights.at("fc1"), width, inner),
                new LayerNorm(weights.at("norm"), inner, config.layerNormEps()),
                Linear.of(weights.at("fc2"), inner, width),
                config.activation());
    }

    /** [..., width] to the same. */
    public Tensor forward(Tensor x) {
        return down.forward(Scopes.returning(() -> {
            Linear.Input input = gate.input(x);
            Tensor inner = gate.forward(input, activation).mul(up.forward(input));
            return norm == null ? inner : norm.forward(inner);
        }));
    }
}
