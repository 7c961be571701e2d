package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Activations;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/** The stack {@code layers.0 ... layers.n-1} of a tower, without embeddings and final norm. */
public final class TransformerEncoder {
    private final List<TransformerLayer> layers = new ArrayList<>();
    private final Activations activations;

    /** @param causal whether a token sees only itself and those before it (text towers of CLIP) */
    public TransformerEncoder(Weights weights, TransformerConfig config, boolean causal) {
        this(weights, config, causal, null);
    }

    /** @param positions that turn queries and keys of every layer, or null */
    public TransformerEncoder(Weights weights, TransformerConfig config, boolean causal, RotaryPositions positions) {
        this.activations = weights.placement().activations();
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            layers.add(new TransformerLayer(weights.at("layers", i), config, causal, positions));
        }
    }

    /** Layers in the stack. */
    public int numLayers() {
        return layers.size();
    }

    /** [batch, tokens, width] through all layers. */
    public Tensor forward(Tensor x) {
        return through(x, layers.size());
    }

    /** {@link #forward} where only the first tokens are seen: those behind them are padding that an attention mask hides. */
    public Tensor masked(Tensor x, long seen) {
        Tensor hidden = x;
        for (TransformerLayer layer : layers) {
            hidden = activations.through(inputs -> layer.masked(inputs[0], seen), hidden);
        }
        return hidden;
    }

    /** The first token of {@link #forward}, [batch, 1, width]; the last layer computes no other. */
    public Tensor firstToken(Tensor x) {
        Tensor hidden = x;
        for (TransformerLayer layer : layers.subList(0, layers.size() - 1)) {
            hidden = through(layer, hidden);
        }
        return layers.get(layers.size() - 1).forward(hidden, 1);
    }

    /** [batch, tokens, width] through the first layers alone. */
    public Tensor through(Tensor x, int count) {
        Tensor hidden = x;
        for (TransformerLayer layer : layers.subList(0, count)) {
            hidden = through(layer, hidden);
        }
        return hidden;
    }

    /** [batch, tokens, width] through one layer alone. */
    public Tensor layer(int index, Tensor x) {
        return through(layers.get(index), x);
    }

    /** The input and the output of every layer: numLayers + 1 tensors of [batch, tokens, width]. */
    public List<Tensor> hiddenStates(Tensor x) {
        List<Tensor> states = new ArrayList<>();
        states.add(x);
        for (TransformerLayer layer : layers) {
            states.add(through(layer, states.get(states.size() - 1)));
        }
        return states;
    }

    /** What each layer keeps of a prefix [1, tokens, width] that texts share. */
    List<KeyValues> keyValues(Tensor prefix) {
        return keyValues(prefix, 0);
    }

    /**
     * What the tokens offer to the attention of others in each layer from one on.
     *
     * @param hidden what enters that layer, [batch, tokens, width]
     * @param from the first layer
     */
    public List<KeyValues> keyValues(Tensor hidden, int from) {
        List<KeyValues> offered = new ArrayList<>();
        Tensor x = hidden;
        for (TransformerLayer layer : layers.subList(from, layers.size() - 1)) {
            x = layer.forward(x, offered);
        }
        offered.add(layers.get(layers.size() - 1).keyValues(x));
        return offered;
    }

    /**
     * Tokens that see themselves and others, and neither each other nor are seen, through the layers from one on.
     *
     * @param x what enters that layer, [batch, tokens, width]
     * @param from the first layer
     * @param context what the others offer to each layer, of {@link #keyValues(Tensor, int)}
     * @param bias added to the scores of the others, [batch, heads, tokens, others]
     */
    public Tensor beside(Tensor x, int from, List<KeyValues> context, Tensor bias) {
        Tensor hidden = x;
        for (int i = from; i < layers.size(); i++) {
            TransformerLayer layer = layers.get(i);
            KeyValues others = context.get(i - from);
            hidden = activations.through(inputs -> layer.beside(inputs[0], others, inputs[1]), hidden, bias);
        }
        return hidden;
    }

    /** What the last layer's attention would add to each token of its input if it saw itself alone. */
    public Tensor valuePath(Tensor x) {
        return layers.get(layers.size() - 1).valuePath(through(x, layers.size() - 1));
    }

    /**
     * Chosen tokens of {@link #forward} behind a prefix; the last layer computes no other. For towers that compute without gradients.
     *
     * @param prefix of {@link #keyValues}, or empty
     * @param chosen [batch, tokens, width] to [batch, count, width]
     */
    Tensor chosenTokens(Tensor x, List<KeyValues> prefix, UnaryOperator<Tensor> chosen) {
        Tensor hidden = x;
        for (int i = 0; i < layers.size(); i++) {
            boolean isLast = i + 1 == layers.size();
            hidden = layers.get(i)
                    .forward(
                            hidden,
                            prefix.isEmpty() ? null : prefix.get(i),
                            isLast ? chosen : UnaryOperator.identity());
        }
        return hidden;
    }

    private Tensor through(TransformerLayer layer, Tensor x) {
        return activations.through(inputs -> layer.forward(inputs[0]), x);
    }
}
