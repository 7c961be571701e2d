package dev.diva.clip;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Attention;
import dev.diva.model.Heads;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import dev.diva.model.Mlp;
import dev.diva.model.TransformerConfig;
import org.bytedeco.pytorch.Tensor;

/** The MAP head of SigLIP and PE: a learned probe attends to all tokens, then x + mlp(norm(x)). */
final class AttentionPooling {
    private final Tensor probe; // [1, 1, width]
    private final Tensor inProjWeight; // [3 * width, width]: queries, keys, values
    private final Tensor inProjBias; // [3 * width]
    private final Linear output;
    private final LayerNorm layerNorm;
    private final Mlp mlp;
    private final long width;
    private final long numHeads;

    /**
     * Reads the head.
     *
     * @param weights the view under {@code head}
     * @param pool its shape, or null for that of the layers
     */
    AttentionPooling(Weights weights, TransformerConfig config, VisionForm.Pool pool) {
        this.width = config.hiddenSize();
        this.numHeads = pool == null ? config.numAttentionHeads() : pool.heads();
        this.probe = weights.matrix("probe", 1, 1, width);
        Weights attention = weights.at("attention");
        this.inProjWeight = attention.matrix("in_proj_weight", 3 * width, width);
        this.inProjBias = attention.matrix("in_proj_bias", 3 * width);
        this.output = Linear.of(attention.at("out_proj"), width, width);
        this.layerNorm = new LayerNorm(weights.at("layernorm"), width, config.layerNormEps());
        this.mlp = new Mlp(
                weights.at("mlp"),
                width,
                pool == null ? config.intermediateSize() : pool.intermediateSize(),
                config.activation());
    }

    /** [batch, tokens, width] to [batch, width]. */
    Tensor forward(Tensor tokens) {
        Tensor queries = inProj(0).forward(probe.to(tokens.scalar_type()).expand(tokens.size(0), 1, width));
        Tensor attended = Attention.attend(
                Heads.split(queries, numHeads),
                Heads.split(inProj(1).forward(tokens), numHeads),
                Heads.split(inProj(2).forward(tokens), numHeads),
                false);
        return withMlp(output.forward(Heads.join(attended))).select(1, 0);
    }

    /** What the pooling would be if a token were all that it attends to, for each token: [batch, tokens, width] to the same. */
    Tensor valuePath(Tensor tokens) {
        return withMlp(output.forward(inProj(2).forward(tokens)));
    }

    private Tensor withMlp(Tensor pooled) {
        return pooled.add(mlp.forward(layerNorm.forward(pooled)));
    }

    private Linear inProj(long part) {
        return Linear.of(inProjWeight.narrow(0, part * width, width), inProjBias.narrow(0, part * width, width));
    }
}
