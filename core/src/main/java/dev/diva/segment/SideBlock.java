package dev.diva.segment;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Attention;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.Activation;
import dev.diva.model.Heads;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import dev.diva.model.Mlp;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Pre-norm layer of the side network, under timm's names: one product for queries, keys and values, exact GELU. */
final class SideBlock {
    static final double NORM_EPS = 1e-6;

    private final LayerNorm norm1;
    private final Linear qkv;
    private final Linear output;
    private final LayerNorm norm2;
    private final Mlp mlp;
    private final long heads;
    private final ScalarType products;

    /** @param products type in which matrices are multiplied; norms and what blocks add are fp32 */
    SideBlock(Weights weights, SanShape shape, long heads, ScalarType products) {
        long width = shape.width();
        this.norm1 = new LayerNorm(weights.at("norm1"), width, NORM_EPS);
        this.qkv = Linear.of(weights.at("attn").at("qkv"), width, 3 * width);
        this.output = Linear.of(weights.at("attn").at("proj"), width, width);
        this.norm2 = new LayerNorm(weights.at("norm2"), width, NORM_EPS);
        this.mlp = new Mlp(weights.at("mlp"), width, shape.mlp(), Activation.GELU);
        this.heads = heads;
        this.products = products;
    }

    /** [batch, tokens, width] to the same. */
    Tensor forward(Tensor x) {
        Tensor attended = Scopes.returning(() -> x.add(fp32(output.forward(attention(entering(norm1, x))))));
        return Scopes.returning(() -> attended.add(fp32(mlp.forward(entering(norm2, attended)))));
    }

    private Tensor entering(LayerNorm norm, Tensor x) {
        return norm.forward(x).to(products);
    }

    private static Tensor fp32(Tensor x) {
        return x.to(ScalarType.Float);
    }

    private Tensor attention(Tensor x) {
        long width = x.size(2);
        List<Tensor> parts = Tensors.split(qkv.forward(x), 2, width, width, width);
        return Heads.join(Attention.attend(
                Heads.split(parts.get(0), heads),
                Heads.split(parts.get(1), heads),
                Heads.split(parts.get(2), heads),
                false));
    }
}
