package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Pre-norm layer of CLIP's and SigLIP's towers: x + attention(norm(x)), then x + mlp(norm(x)). */
final class TransformerLayer {
    private final LayerNorm layerNorm1;
    private final SelfAttention selfAttention;
    private final LayerNorm layerNorm2;
    private final Mlp mlp;

    TransformerLayer(Weights weights, TransformerConfig config, boolean causal) {
        this.layerNorm1 = new LayerNorm(weights.at("layer_norm1"), config.hiddenSize(), config.layerNormEps());
        this.selfAttention = new SelfAttention(weights.at("self_attn"), config, causal);
        this.layerNorm2 = new LayerNorm(weights.at("layer_norm2"), config.hiddenSize(), config.layerNormEps());
        this.mlp = new Mlp(weights.at("mlp"), config.hiddenSize(), config.intermediateSize(), config.activation());
    }

    /** [batch, tokens, width] to the same. */
    Tensor forward(Tensor x) {
        return forward(x, x.size(1));
    }

    /** The first tokens of {@link #forward(Tensor)}, which attend to all: [batch, tokens, width] to [batch, count, width]. */
    Tensor forward(Tensor x, long count) {
        Tensor attended = Scopes.returning(() -> {
            Tensor normed = layerNorm1.forward(x);
            return selfAttention
                    .forward(normed.narrow(1, 0, count), selfAttention.keyValues(normed))
                    .add_(x.narrow(1, 0, count));
        });
        return withMlp(attended);
    }

    /**
     * Tokens of texts that begin with a shared prefix.
     *
     * @param x [batch, tokens, width]
     * @param prefix of this layer, or null
     * @param chosen which of the tokens are wanted: [batch, tokens, width] to [batch, count, width]
     */
    Tensor forward(Tensor x, KeyValues prefix, UnaryOperator<Tensor> chosen) {
        Tensor attended = Scopes.returning(() -> {
            Tensor normed = layerNorm1.forward(x);
            KeyValues context = selfAttention.keyValues(normed).after(prefix);
            return selfAttention.forward(normed, context, chosen).add_(chosen.apply(x));
        });
        return withMlp(attended);
    }

    /** What tokens that follow x [batch, tokens, width] attend to. */
    KeyValues keyValues(Tensor x) {
        return selfAttention.keyValues(layerNorm1.forward(x));
    }

    /** {@link #forward(Tensor)}; what the tokens offer to the attention of others is added to a list. */
    Tensor forward(Tensor x, List<KeyValues> offered) {
        Tensor normed = layerNorm1.forward(x);
        KeyValues keyValues = selfAttention.keyValues(normed);
        offered.add(keyValues);
        return withMlp(
                Scopes.returning(() -> selfAttention.forward(normed, keyValues).add_(x)));
    }

    /** Tokens [batch, tokens, width] that see themselves and others, and not each other. */
    Tensor beside(Tensor x, KeyValues context, Tensor bias) {
        return withMlp(Scopes.returning(
                () -> selfAttention.beside(layerNorm1.forward(x), context, bias).add_(x)));
    }

    /** What the attention would add to each token if it saw itself alone. */
    Tensor valuePath(Tensor x) {
        return Scopes.returning(() -> selfAttention.valuePath(layerNorm1.forward(x)));
    }

    private Tensor withMlp(Tensor attended) {
        return Scopes.returning(() -> mlp.forward(layerNorm2.forward(attended)).add_(attended));
    }

    /** {@link #forward(Tensor)} where only the first tokens are seen, by all: [batch, tokens, width] to the same. */
    Tensor masked(Tensor x, long seen) {
        Tensor attended = Scopes.returning(() -> {
            Tensor normed = layerNorm1.forward(x);
            Tensor context = normed.narrow(1, 0, seen);
            KeyValues keyValues = selfAttention.keyValues(context);
            Tensor padding = normed.narrow(1, seen, x.size(1) - seen);
            return torch.cat(
                            new TensorVector(
                                    selfAttention.forward(context, keyValues), selfAttention.toAll(padding, keyValues)),
                            1)
                    .add_(x);
        });
        return Scopes.returning(() -> mlp.forward(layerNorm2.forward(attended)).add_(attended));
    }
}
