package dev.diva.diffusion.flux;

import dev.diva.diffusion.layer.AdaptiveBlock;
import dev.diva.diffusion.layer.Attended;
import dev.diva.diffusion.layer.QueryKeyNorm;
import dev.diva.diffusion.layer.SideBySide;
import dev.diva.engine.Scopes;
import dev.diva.model.Activation;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Attention and MLP side by side, the same weights for all tokens. */
final class SingleBlock implements FluxBlock {
    private static final double NORM_EPS = 1e-6;

    private final long heads;
    private final Linear modulation;
    private final LayerNorm norm;
    private final SideBySide in;
    private final QueryKeyNorm headNorm;
    private final Linear out;

    /**
     * A block.
     *
     * @param modulation from the vector to 3 * width: shift, scale, gate
     * @param in to queries, keys, values and the inside of the MLP
     * @param out from what was attended to and the inside of the MLP
     */
    SingleBlock(FluxConfig config, Linear modulation, SideBySide in, QueryKeyNorm headNorm, Linear out) {
        this.heads = config.numHeads();
        this.modulation = modulation;
        this.norm = LayerNorm.withoutWeights(config.hiddenSize(), NORM_EPS);
        this.in = in;
        this.headNorm = headNorm;
        this.out = out;
    }

    @Override
    public Tensor forward(Tensor x, Tensor vector, long texts, UnaryOperator<Tensor> turn) {
        TensorVector m = modulation.forward(torch.silu(vector)).unsqueeze(1).chunk(3, -1);
        Tensor both = Scopes.returning(() -> {
            List<Tensor> parts = in.forward(AdaptiveBlock.modulated(norm.forward(x), m.get(0), m.get(1)));
            Tensor attended = Attended.of(parts, heads, headNorm).attend(turn);
            return torch.cat(new TensorVector(attended, Activation.GELU_TANH.apply(parts.get(3))), 2);
        });
        return Scopes.returning(() -> x.add(out.forward(both).mul(m.get(2))));
    }
}
