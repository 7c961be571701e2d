package dev.diva.diffusion.flux;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.layer.AdaptiveBlock;
import dev.diva.engine.Scopes;
import dev.diva.model.Activation;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Attention and MLP side by side, the same weights for all tokens. */
final class SingleBlock implements FluxBlock {
    private static final double NORM_EPS = 1e-6;

    private final FluxConfig config;
    private final Linear modulation;
    private final LayerNorm norm;
    private final Linear linear1;
    private final QueryKeyNorm headNorm;
    private final Linear linear2;

    /** @param weights the view under {@code single_blocks.N} */
    SingleBlock(Weights weights, FluxConfig config) {
        long width = config.hiddenSize();
        this.config = config;
        this.modulation = Linear.of(weights.at("modulation").at("lin"), width, 3 * width);
        this.norm = LayerNorm.withoutWeights(width, NORM_EPS);
        this.linear1 = Linear.of(weights.at("linear1"), width, 3 * width + config.mlpWidth());
        this.headNorm = new QueryKeyNorm(weights.at("norm"), config.headDim());
        this.linear2 = Linear.of(weights.at("linear2"), width + config.mlpWidth(), width);
    }

    @Override
    public Tensor forward(Tensor x, Tensor vector, long texts, Rotation rotation) {
        TensorVector m = modulation.forward(torch.silu(vector)).unsqueeze(1).chunk(3, -1);
        Tensor both = Scopes.returning(() -> {
            Tensor first = linear1.forward(AdaptiveBlock.modulated(norm.forward(x), m.get(0), m.get(1)));
            long qkv = 3 * config.hiddenSize();
            Tensor attended = Attended.of(first.narrow(2, 0, qkv).contiguous(), headNorm, config)
                    .attend(rotation);
            Tensor inner = Activation.GELU_TANH.apply(first.narrow(2, qkv, config.mlpWidth()));
            return torch.cat(new TensorVector(attended, inner), 2);
        });
        return Scopes.returning(() -> x.add(linear2.forward(both).mul(m.get(2))));
    }
}
