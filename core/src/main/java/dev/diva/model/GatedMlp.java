package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import org.bytedeco.pytorch.Tensor;

/** SwiGLU with a norm inside, as of EVA-02: {@code fc2(norm(silu(fc1_gate(x)) * fc1(x)))}. */
final class GatedMlp {
    private final Linear gate;
    private final Linear fc1;
    private final LayerNorm norm;
    private final Linear fc2;
    private final Activation activation;

    GatedMlp(Weights weights, TransformerConfig config) {
        long width = config.hiddenSize();
        long inner = config.intermediateSize();
        this.gate = Linear.of(weights.at("fc1_gate"), width, inner);
        this.fc1 = Linear.of(weights.at("fc1"), width, inner);
        this.norm = new LayerNorm(weights.at("norm"), inner, config.layerNormEps());
        this.fc2 = Linear.of(weights.at("fc2"), inner, width);
        this.activation = config.activation();
    }

    /** [..., hiddenSize] to the same. */
    Tensor forward(Tensor x) {
        return fc2.forward(
                Scopes.returning(() -> norm.forward(gate.forward(x, activation).mul(fc1.forward(x)))));
    }
}
