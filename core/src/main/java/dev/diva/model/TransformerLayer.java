package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Residual;
import dev.diva.engine.Scopes;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Layer of a tower: x + attention(norm(x)), then x + mlp(norm(x)), or another {@link LayerForm}. */
final class TransformerLayer {
    private final LayerNorm layerNorm1;
    private final SelfAttention selfAttention;
    private final LayerNorm layerNorm2;
    private final UnaryOperator<Tensor> mlp;
    private final Tensor scale1; // of the attention, [width] or null
    private final Tensor scale2; // of the MLP, [width] or null
    private final boolean postNorm;

    TransformerLayer(Weights weights, TransformerConfig config, boolean causal, RotaryPositions positions) {
        this.layerNorm1 = new LayerNorm(weights.at("layer_norm1"), config.hiddenSize(), config.layerNormEps());
        this.selfAttention = new SelfAttention(weights.at("self_attn"), config, causal, positions);
        this.layerNorm2 = new LayerNorm(weights.at("layer_norm2"), config.hiddenSize(), config.layerNormEps());
        LayerForm form = config.form();
        this.mlp = form.gatedMlp()
                ? GatedMlp.normed(weights.at("mlp"), config)::forward
                : new Mlp(weights.at("mlp"), config.hiddenSize(), config.intermediateSize(), config.activation())
                        ::forward;
        this.scale1 = form.layerScale() ? scale(weights.at("layer_scale1"), config) : null;
        this.scale2 = form.layerScale() ? scale(weights.at("layer_scale2"), config) : null;
        this.postNorm = form.postNorm();
    }

    private static Tensor scale(Weights weights, TransformerConfig config) {
        return weights.vector("lambda1", config.hiddenSize());
    }

    /** What enters a branch. */
    private Tensor entering(Tensor x, LayerNorm norm) {
        return postNorm ? x : norm.forward(x);
    }

    /** What a branch adds to its input. */
    private Tensor leaving(Tensor branch, LayerNorm norm, Tensor scale) {
        Tensor normed = postNorm ? norm.forward(branch) : branch;
        return scale == null ? normed : normed.mul(scale.to(normed.scalar_type()));
    }

    /** x with what a branch adds. */
    private Tensor plus(Tensor x, Tensor branch, LayerNorm norm, Tensor scale) {
        return Residual.add(leaving(branch, norm, scale), x);
    }

    /** [batch, tokens, width] to the same. */
    Tensor forward(Tensor x) {
        return forward(x, x.size(1));
    }

    /** The first tokens of {@link #forward(Tensor)}, which attend to all: [batch, tokens, width] to [batch, count, width]. */
    Tensor forward(Tensor x, long count) {
        Tensor attended = Scopes.returning(() -> {
            Tensor normed = entering(x, layerNorm1);
            Tensor branch = selfAttention.forward(normed, count);
            Tensor first = count == x.size(1) ? x : x.narrow(1, 0, count);
            return plus(first, branch, layerNorm1, scale1);
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
            Tensor normed = entering(x, layerNorm1);
            KeyValues context = selfAttention.keyValues(normed).after(prefix);
            Tensor branch = selfAttention.forward(normed, context, chosen);
            return plus(chosen.apply(x), branch, layerNorm1, scale1);
        });
        return withMlp(attended);
    }

    /** What tokens that follow x [batch, tokens, width] attend to. */
    KeyValues keyValues(Tensor x) {
        return selfAttention.keyValues(entering(x, layerNorm1));
    }

    /** {@link #forward(Tensor)}; what the tokens offer to the attention of others is added to a list. */
    Tensor forward(Tensor x, List<KeyValues> offered) {
        Tensor normed = entering(x, layerNorm1);
        KeyValues keyValues = selfAttention.keyValues(normed);
        offered.add(keyValues);
        return withMlp(Scopes.returning(() -> plus(x, selfAttention.forward(normed, keyValues), layerNorm1, scale1)));
    }

    /** Tokens [batch, tokens, width] that see themselves and others, and not each other. */
    Tensor beside(Tensor x, KeyValues context, Tensor bias) {
        return withMlp(Scopes.returning(
                () -> plus(x, selfAttention.beside(entering(x, layerNorm1), context, bias), layerNorm1, scale1)));
    }

    /** What the attention would add to each token if it saw itself alone. */
    Tensor valuePath(Tensor x) {
        return Scopes.returning(() -> leaving(selfAttention.valuePath(entering(x, layerNorm1)), layerNorm1, scale1));
    }

    private Tensor withMlp(Tensor attended) {
        return Scopes.returning(() -> plus(attended, mlp.apply(entering(attended, layerNorm2)), layerNorm2, scale2));
    }

    /** {@link #forward(Tensor)} where only the first tokens are seen, by all: [batch, tokens, width] to the same. */
    Tensor masked(Tensor x, long seen) {
        return withMlp(Scopes.returning(() -> {
            Tensor normed = entering(x, layerNorm1);
            Tensor context = normed.narrow(1, 0, seen);
            KeyValues keyValues = selfAttention.keyValues(context);
            Tensor padding = normed.narrow(1, seen, x.size(1) - seen);
            Tensor branch = torch.cat(
                    new TensorVector(
                            selfAttention.forward(context, keyValues), selfAttention.toAll(padding, keyValues)),
                    1);
            return plus(x, branch, layerNorm1, scale1);
        }));
    }
}
