package dev.diva.mine;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Attention;
import dev.diva.model.Heads;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import dev.diva.model.Mlp;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Pre-norm layer with a learned scale per channel on both branches: x + s1 attention(norm(x)), then x + s2 mlp(norm(x)). */
final class Dinov2Layer {
    private final LayerNorm norm1;
    private final Linear query;
    private final Linear key;
    private final Linear value;
    private final Linear output;
    private final Tensor scale1; // [width]
    private final LayerNorm norm2;
    private final UnaryOperator<Tensor> mlp;
    private final Tensor scale2; // [width]
    private final long numHeads;

    Dinov2Layer(Weights weights, Dinov2Config config) {
        long width = config.hiddenSize();
        Weights attention = weights.at("attention.attention");
        this.norm1 = new LayerNorm(weights.at("norm1"), width, config.layerNormEps());
        this.query = Linear.of(attention.at("query"), width, width);
        this.key = Linear.of(attention.at("key"), width, width);
        this.value = Linear.of(attention.at("value"), width, width);
        this.output = Linear.of(weights.at("attention.output.dense"), width, width);
        this.scale1 = weights.at("layer_scale1").vector("lambda1", width);
        this.norm2 = new LayerNorm(weights.at("norm2"), width, config.layerNormEps());
        this.mlp = mlp(weights.at("mlp"), config);
        this.scale2 = weights.at("layer_scale2").vector("lambda1", width);
        this.numHeads = config.numAttentionHeads();
    }

    private static UnaryOperator<Tensor> mlp(Weights weights, Dinov2Config config) {
        if (!config.hasSwiglu()) {
            return new Mlp(weights, config.hiddenSize(), config.mlpWidth(), config.activation())::forward;
        }
        Linear in = Linear.of(weights.at("weights_in"), config.hiddenSize(), 2 * config.mlpWidth());
        Linear out = Linear.of(weights.at("weights_out"), config.mlpWidth(), config.hiddenSize());
        return x -> {
            Tensor gateAndValue = in.forward(x); // [batch, tokens, 2 * mlpWidth]
            Tensor gate = gateAndValue.narrow(-1, 0, config.mlpWidth());
            return out.forward(torch.silu(gate).mul(gateAndValue.narrow(-1, config.mlpWidth(), config.mlpWidth())));
        };
    }

    /** [batch, tokens, width] to the same. */
    Tensor forward(Tensor x) {
        Tensor normed = norm1.forward(x);
        Tensor attended = Attention.attend(
                Heads.split(query.forward(normed), numHeads),
                Heads.split(key.forward(normed), numHeads),
                Heads.split(value.forward(normed), numHeads),
                false);
        Tensor afterAttention = x.add(scaled(output.forward(Heads.join(attended)), scale1));
        return afterAttention.add(scaled(mlp.apply(norm2.forward(afterAttention)), scale2));
    }

    private static Tensor scaled(Tensor branch, Tensor scale) {
        return branch.mul(scale.to(branch.scalar_type()));
    }
}
