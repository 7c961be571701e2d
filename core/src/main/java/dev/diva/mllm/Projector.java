package dev.diva.mllm;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.Activation;
import dev.diva.model.Linear;
import org.bytedeco.pytorch.Tensor;

/** {@code mlp2x_gelu}: the tower's tokens to the width of the language model, two linear layers with the exact GELU between them. */
public final class Projector {
    private final Linear first;
    private final Linear second;

    /** @param weights reads {@code model.mm_projector.0} and {@code model.mm_projector.2} */
    public Projector(Weights weights, long visionWidth, long width) {
        Weights projector = weights.at("model").at("mm_projector");
        this.first = Linear.of(projector.at("0"), visionWidth, width);
        this.second = Linear.of(projector.at("2"), width, width);
    }

    /** [..., visionWidth] to [..., width]. */
    public Tensor forward(Tensor tokens) {
        return second.forward(Scopes.returning(() -> first.forward(tokens, Activation.GELU)));
    }
}
