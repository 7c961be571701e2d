package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Attention;
import org.bytedeco.pytorch.Tensor;

/** Multi-head attention of tokens to each other, under transformers' names. */
final class SelfAttention {
    private final Linear queries;
    private final Linear keys;
    private final Linear values;
    private final Linear output;
    private final long numHeads;
    private final boolean causal;

    SelfAttention(Weights weights, TransformerConfig config, boolean causal) {
        long width = config.hiddenSize();
        this.queries = Linear.of(weights.at("q_proj"), width, width);
        this.keys = Linear.of(weights.at("k_proj"), width, width);
        this.values = Linear.of(weights.at("v_proj"), width, width);
        this.output = Linear.of(weights.at("out_proj"), width, width);
        this.numHeads = config.numAttentionHeads();
        this.causal = causal;
    }

    /** Some tokens [batch, tokens, width] that attend to all [batch, contextTokens, width], to the shape of the former. */
    Tensor forward(Tensor x, Tensor context) {
        return forward(x, context, causal);
    }

    /** Some tokens that attend to all of others, whether those come before them or not. */
    Tensor toAll(Tensor x, Tensor context) {
        return forward(x, context, false);
    }

    private Tensor forward(Tensor x, Tensor context, boolean causal) {
        Tensor attended = Attention.attend(
                Heads.split(queries.forward(x), numHeads),
                Heads.split(keys.forward(context), numHeads),
                Heads.split(values.forward(context), numHeads),
                causal);
        return output.forward(Heads.join(attended));
    }
}
