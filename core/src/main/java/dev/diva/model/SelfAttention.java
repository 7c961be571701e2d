package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Attention;
import dev.diva.engine.SelfAndContext;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/** Multi-head attention of tokens to each other, under transformers' names; queries and keys may be turned by their place. */
final class SelfAttention {
    private final Linear queries;
    private final Linear keys;
    private final Linear values;
    private final Linear output;
    private final LayerNorm norm; // of what was attended, or null
    private final RotaryPositions positions; // or null
    private final long numHeads;
    private final boolean causal;

    SelfAttention(Weights weights, TransformerConfig config, boolean causal, RotaryPositions positions) {
        long width = config.hiddenSize();
        this.queries = Linear.of(weights.at("q_proj"), width, width);
        this.keys = config.form().keyBias()
                ? Linear.of(weights.at("k_proj"), width, width)
                : Linear.withoutBias(weights.at("k_proj"), width, width);
        this.values = Linear.of(weights.at("v_proj"), width, width);
        this.output = Linear.of(weights.at("out_proj"), width, width);
        this.norm =
                config.form().attentionNorm() ? new LayerNorm(weights.at("norm"), width, config.layerNormEps()) : null;
        this.positions = positions;
        this.numHeads = config.numAttentionHeads();
        this.causal = causal;
    }

    /** Keys and values of tokens [batch, tokens, width]. */
    KeyValues keyValues(Tensor context) {
        return keyValues(keys.input(context));
    }

    private KeyValues keyValues(Linear.Input context) {
        return new KeyValues(
                placed(Heads.split(keys.forward(context), numHeads)), Heads.split(values.forward(context), numHeads));
    }

    /** The first of tokens [batch, tokens, width], which attend to all of them. */
    Tensor forward(Tensor x, long count) {
        Linear.Input all = keys.input(x);
        KeyValues context = keyValues(all);
        Linear.Input first = count == x.size(1) ? all : queries.input(x.narrow(1, 0, count));
        return output.forward(attended(queries.forward(first), context, causal));
    }

    /** Some tokens [batch, tokens, width] that attend to others, to the shape of the former. */
    Tensor forward(Tensor x, KeyValues context) {
        return forward(x, context, tokens -> tokens);
    }

    /** The same for tokens chosen of [batch, tokens, width]. */
    Tensor forward(Tensor x, KeyValues context, UnaryOperator<Tensor> chosen) {
        return output.forward(chosen.apply(attended(queries.forward(x), context, causal)));
    }

    /** Some tokens that attend to all of others, whether those come before them or not. */
    Tensor toAll(Tensor x, KeyValues context) {
        return output.forward(attended(queries.forward(x), context, false));
    }

    /** Tokens that see themselves and others, and not each other; see {@link SelfAndContext}. */
    Tensor beside(Tensor x, KeyValues context, Tensor bias) {
        KeyValues own = keyValues(x);
        Tensor q = Heads.split(queries.forward(x), numHeads);
        return output.forward(
                Heads.join(SelfAndContext.attend(q, own.keys(), own.values(), context.keys(), context.values(), bias)));
    }

    /** What each token would take if it saw itself alone. */
    Tensor valuePath(Tensor x) {
        return output.forward(normed(values.forward(x)));
    }

    private Tensor placed(Tensor heads) {
        return positions == null ? heads : positions.apply(heads);
    }

    private Tensor normed(Tensor attended) {
        return norm == null ? attended : norm.forward(attended);
    }

    private Tensor attended(Tensor asking, KeyValues context, boolean causal) {
        Tensor attended =
                Attention.attend(placed(Heads.split(asking, numHeads)), context.keys(), context.values(), causal);
        return normed(Heads.join(attended));
    }
}
