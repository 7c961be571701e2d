package dev.diva.language;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Attention;
import dev.diva.model.Heads;
import dev.diva.model.Linear;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;

/** Causal attention in which several heads of queries share one of keys and values. */
final class GroupedAttention {
    private final Linear queries;
    private final Linear keys;
    private final Linear values;
    private final Linear output;
    private final LlamaConfig config;
    private final int layer;
    private final CappedScores scores; // or null for those of Llama

    GroupedAttention(Weights weights, LlamaConfig config, int layer) {
        this(weights, config, layer, null);
    }

    /** @param scores how queries meet keys; null as in Llama */
    GroupedAttention(Weights weights, LlamaConfig config, int layer, CappedScores scores) {
        long width = config.hiddenSize();
        long all = config.numAttentionHeads() * config.headDim();
        long shared = config.numKeyValueHeads() * config.headDim();
        this.queries = Linear.withoutBias(weights.at("q_proj"), width, all);
        this.keys = Linear.withoutBias(weights.at("k_proj"), width, shared);
        this.values = Linear.withoutBias(weights.at("v_proj"), width, shared);
        this.output = Linear.withoutBias(weights.at("o_proj"), all, width);
        this.config = config;
        this.layer = layer;
        this.scores = scores;
    }

    /**
     * Tokens that see themselves, those before them and all that the cache remembers.
     *
     * @param x [batch, tokens, width]
     * @param cache of one sequence, or null
     */
    Tensor forward(Tensor x, Rotation rotation, KeyValueCache cache) {
        Tensor q = rotation.apply(Heads.split(queries.forward(x), config.numAttentionHeads()));
        Tensor k = rotation.apply(Heads.split(keys.forward(x), config.numKeyValueHeads()));
        Tensor v = Heads.split(values.forward(x), config.numKeyValueHeads());
        Tensor allKeys = cache == null ? k : cache.keys(layer, k);
        Tensor allValues = cache == null ? v : cache.values(layer, v);
        return output.forward(Heads.join(attended(q, allKeys, allValues)));
    }

    private Tensor attended(Tensor q, Tensor k, Tensor v) {
        long groups = config.numAttentionHeads() / config.numKeyValueHeads();
        if (scores != null) {
            return scores.attend(q, repeated(k, groups), repeated(v, groups));
        }
        if (q.size(2) == 1 && groups > 1) { // the last token sees all: queries that share keys are rows of one product
            Tensor grouped = q.view(q.size(0), config.numKeyValueHeads(), groups, q.size(3));
            return Attention.attend(grouped, k, v, false).reshape(q.shape());
        }
        return Attention.attend(q, repeated(k, groups), repeated(v, groups), q.size(2) > 1);
    }

    /** Head h of the result is head h / count. */
    private static Tensor repeated(Tensor x, long count) {
        return count == 1 ? x : x.repeat_interleave(count, new LongOptional(1), new LongOptional());
    }
}
