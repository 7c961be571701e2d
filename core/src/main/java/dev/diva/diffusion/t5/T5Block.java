package dev.diva.diffusion.t5;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.Activation;
import dev.diva.model.GatedMlp;
import dev.diva.model.Heads;
import dev.diva.model.Linear;
import dev.diva.model.RmsNorm;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Attention without scale, with a bias of the distance, and a gated MLP, each behind a norm; no layer has a bias. */
final class T5Block {
    private final long heads;
    private final RmsNorm attentionNorm;
    private final Linear queries;
    private final Linear keys;
    private final Linear values;
    private final Linear output;
    private final RmsNorm mlpNorm;
    private final GatedMlp mlp;

    /** @param weights the view under {@code block.N} */
    T5Block(Weights weights, T5Config config) {
        long width = config.width();
        long all = config.heads() * config.headDim();
        Weights attention = weights.at("layer", 0).at("SelfAttention");
        this.heads = config.heads();
        this.attentionNorm = new RmsNorm(weights.at("layer", 0).at("layer_norm"), width, config.normEps());
        this.queries = Linear.withoutBias(attention.at("q"), width, all);
        this.keys = Linear.withoutBias(attention.at("k"), width, all);
        this.values = Linear.withoutBias(attention.at("v"), width, all);
        this.output = Linear.withoutBias(attention.at("o"), all, width);
        this.mlpNorm = new RmsNorm(weights.at("layer", 1).at("layer_norm"), width, config.normEps());
        this.mlp = mlp(weights.at("layer", 1).at("DenseReluDense"), width, config.innerWidth());
    }

    private static GatedMlp mlp(Weights weights, long width, long inner) {
        return GatedMlp.of(
                Linear.withoutBias(weights.at("wi_0"), width, inner),
                Linear.withoutBias(weights.at("wi_1"), width, inner),
                Linear.withoutBias(weights.at("wo"), inner, width),
                Activation.GELU_TANH);
    }

    /**
     * Computes the block.
     *
     * @param x [batch, tokens, width]
     * @param bias fp32 [1, heads, tokens, tokens]
     * @return as x
     */
    Tensor forward(Tensor x, Tensor bias) {
        Tensor attended = Scopes.returning(() -> {
            Tensor normed = attentionNorm.forward(x);
            Tensor q = Heads.split(queries.forward(normed), heads);
            Tensor k = Heads.split(keys.forward(normed), heads);
            Tensor v = Heads.split(values.forward(normed), heads);
            Tensor scores = q.matmul(k.transpose(2, 3)).to(ScalarType.Float).add(bias);
            return x.add(output.forward(
                    Heads.join(scores.softmax(-1).to(v.scalar_type()).matmul(v))));
        });
        return Scopes.returning(() -> attended.add(mlp.forward(mlpNorm.forward(attended))));
    }
}
