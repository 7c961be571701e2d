package dev.diva.language;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.Activation;
import dev.diva.model.GatedMlp;
import dev.diva.model.Linear;
import dev.diva.model.RmsNorm;
import org.bytedeco.pytorch.Tensor;

/** x + attention(norm(x)), then x + mlp(norm(x)). */
final class LlamaLayer {
    private final RmsNorm attentionNorm;
    private final GroupedAttention attention;
    private final RmsNorm mlpNorm;
    private final GatedMlp mlp;

    LlamaLayer(Weights weights, LlamaConfig config, int layer) {
        this.attentionNorm = new RmsNorm(weights.at("input_layernorm"), config.hiddenSize(), config.rmsNormEps());
        this.attention = new GroupedAttention(weights.at("self_attn"), config, layer);
        this.mlpNorm = new RmsNorm(weights.at("post_attention_layernorm"), config.hiddenSize(), config.rmsNormEps());
        this.mlp = mlp(weights.at("mlp"), config.hiddenSize(), config.intermediateSize(), Activation.SILU);
    }

    /** The MLP under transformers' names. */
    static GatedMlp mlp(Weights weights, long width, long inner, Activation activation) {
        return GatedMlp.of(
                Linear.withoutBias(weights.at("gate_proj"), width, inner),
                Linear.withoutBias(weights.at("up_proj"), width, inner),
                Linear.withoutBias(weights.at("down_proj"), inner, width),
                activation);
    }

    /** [batch, tokens, width] to the same. */
    Tensor forward(Tensor x, Rotation rotation, KeyValueCache cache) {
        Tensor attended = Scopes.returning(() ->
                attention.forward(attentionNorm.forward(x), rotation, cache).add(x));
        return Scopes.returning(() -> mlp.forward(mlpNorm.forward(attended)).add(attended));
    }
}
