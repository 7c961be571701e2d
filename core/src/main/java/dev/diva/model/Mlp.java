package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import org.bytedeco.pytorch.Tensor;

/** Two linear layers {@code fc1}, {@code fc2} with a pointwise function between them. */
public final class Mlp {
    private final Linear fc1;
    private final Linear fc2;
    private final Activation activation;

    public Mlp(Weights weights, long hiddenSize, long intermediateSize, Activation activation) {
        this.fc1 = Linear.of(weights.at("fc1"), hiddenSize, intermediateSize);
        this.fc2 = Linear.of(weights.at("fc2"), intermediateSize, hiddenSize);
        this.activation = activation;
    }

    /** [..., hiddenSize] to the same. */
    public Tensor forward(Tensor x) {
        return fc2.isAdapted()
                ? Scopes.returning(() -> fc2.after(activation, fc1.forward(x)))
                : fc2.forward(Scopes.returning(() -> fc1.forward(x, activation)));
    }
}
