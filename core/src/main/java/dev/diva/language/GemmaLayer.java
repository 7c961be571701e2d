package dev.diva.language;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.Activation;
import dev.diva.model.GatedMlp;
import dev.diva.model.RmsNorm;
import org.bytedeco.pytorch.Tensor;

/** x + norm(attention(norm(x))), then x + norm(mlp(norm(x))). */
final class GemmaLayer {
    private final RmsNorm attentionNorm;
    private final GroupedAttention attention;
    private final RmsNorm attendedNorm;
    private final RmsNorm mlpNorm;
    private final GatedMlp mlp;
    private final RmsNorm mlpOutputNorm;

    GemmaLayer(Weights weights, GemmaConfig config, int layer) {
        LlamaConfig shape = config.shape();
        CappedScores scores = new CappedScores(1 / Math.sqrt(config.queryScale()), config.scoreCap());
        this.attentionNorm = norm(weights, "input_layernorm", shape);
        this.attention = new GroupedAttention(weights.at("self_attn"), shape, layer, scores);
        this.attendedNorm = norm(weights, "post_attention_layernorm", shape);
        this.mlpNorm = norm(weights, "pre_feedforward_layernorm", shape);
        this.mlp =
                LlamaLayer.mlp(weights.at("mlp"), shape.hiddenSize(), shape.intermediateSize(), Activation.GELU_TANH);
        this.mlpOutputNorm = norm(weights, "post_feedforward_layernorm", shape);
    }

    private static RmsNorm norm(Weights weights, String name, LlamaConfig shape) {
        return RmsNorm.aroundOne(weights.at(name), shape.hiddenSize(), shape.rmsNormEps());
    }

    /** [batch, tokens, width] to the same. */
    Tensor forward(Tensor x, Rotation rotation) {
        Tensor attended = Scopes.returning(() -> attendedNorm
                .forward(attention.forward(attentionNorm.forward(x), rotation, null))
                .add(x));
        return Scopes.returning(() ->
                mlpOutputNorm.forward(mlp.forward(mlpNorm.forward(attended))).add(attended));
    }
}
