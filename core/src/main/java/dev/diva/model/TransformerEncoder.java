package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** The stack {@code layers.0 ... layers.n-1} of a tower, without embeddings and final norm. */
public final class TransformerEncoder {
    private final List<TransformerLayer> layers = new ArrayList<>();

    /** @param causal whether a token sees only itself and those before it (text towers of CLIP) */
    public TransformerEncoder(Weights weights, TransformerConfig config, boolean causal) {
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            layers.add(new TransformerLayer(weights.at("layers", i), config, causal));
        }
    }

    /** Layers in the stack. */
    public int numLayers() {
        return layers.size();
    }

    /** [batch, tokens, width] through all layers. */
    public Tensor forward(Tensor x) {
        Tensor hidden = x;
        for (TransformerLayer layer : layers) {
            Tensor input = hidden;
            hidden = Scopes.returning(() -> layer.forward(input));
        }
        return hidden;
    }

    /** The input and the output of every layer: numLayers + 1 tensors of [batch, tokens, width]. */
    public List<Tensor> hiddenStates(Tensor x) {
        List<Tensor> states = new ArrayList<>();
        states.add(x);
        for (TransformerLayer layer : layers) {
            Tensor input = states.get(states.size() - 1);
            states.add(Scopes.returning(() -> layer.forward(input)));
        }
        return states;
    }
}
