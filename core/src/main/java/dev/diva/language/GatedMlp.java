package dev.diva.language;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.Activation;
import dev.diva.model.Linear;
import org.bytedeco.pytorch.Tensor;

/** down(silu(gate(x)) * up(x)), without biases. */
final class GatedMlp {
    private final Linear gate;
    private final Linear up;
    private final Linear down;

    GatedMlp(Weights weights, long width, long inner) {
        this.gate = Linear.withoutBias(weights.at("gate_proj"), width, inner);
        this.up = Linear.withoutBias(weights.at("up_proj"), width, inner);
        this.down = Linear.withoutBias(weights.at("down_proj"), inner, width);
    }

    /** [..., width] to the same. */
    Tensor forward(Tensor x) {
        return down.forward(
                Scopes.returning(() -> gate.forward(x, Activation.SILU).mul(up.forward(x))));
    }
}
