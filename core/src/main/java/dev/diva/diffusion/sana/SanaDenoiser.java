package dev.diva.diffusion.sana;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.layer.AdaptiveBlock;
import dev.diva.diffusion.layer.EmbeddingMlp;
import dev.diva.diffusion.layer.PatchTokens;
import dev.diva.diffusion.layer.SinusoidalEmbedding;
import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.Activation;
import dev.diva.model.Conv2d;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import dev.diva.model.RmsNorm;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Sana 1.0 and 1.5 (Xie et al. 2024, arXiv 2410.10629; 2025, arXiv 2501.18427), under diffusers' names: told of real noise levels and of tokens, it
 * predicts the velocity of a rectified flow. It has no positions; the convolutions tell it what is beside what.
 */
public final class SanaDenoiser implements Denoiser {
    private static final int FREQUENCIES = 256;
    private static final double TIME_FACTOR = 1000;
    private static final double TEXT_EPS = 1e-5;
    private static final double OUT_EPS = 1e-6;

    private final SanaConfig config;
    private final Placement placement;
    private final Conv2d patches;
    private final SinusoidalEmbedding waves = new SinusoidalEmbedding(FREQUENCIES, true, 0);
    private final EmbeddingMlp timeIn;
    private final Linear modulation;
    private final Linear textIn;
    private final Linear textOut;
    private final RmsNorm textNorm;
    private final List<SanaBlock> blocks = new ArrayList<>();
    private final Tensor tableOut; // [2, width]: shift and scale
    private final LayerNorm normOut;
    private final Linear out;

    /** Reads every tensor of a SanaTransformer2DModel. The caller ends with {@link Weights#finish} and closes the weights. */
    public SanaDenoiser(Weights weights, SanaConfig config) {
        long width = config.width();
        long p = config.patchSize();
        Weights time = weights.at("time_embed");
        Weights text = weights.at("caption_projection");
        this.config = config;
        this.placement = weights.placement();
        this.patches = Conv2d.of(
                weights.at("patch_embed").at("proj"), config.latentChannels(), width, new Conv2d.Geometry(p, p, 0));
        this.timeIn = new EmbeddingMlp(time.at("emb").at("timestep_embedder"), FREQUENCIES, width);
        this.modulation = Linear.of(time.at("linear"), width, SanaBlock.PARTS * width);
        this.textIn = Linear.of(text.at("linear_1"), config.contextDim(), width);
        this.textOut = Linear.of(text.at("linear_2"), width, width);
        this.textNorm = new RmsNorm(weights.at("caption_norm"), width, TEXT_EPS);
        for (int i = 0; i < config.layers(); i++) {
            blocks.add(new SanaBlock(weights.at("transformer_blocks", i), config));
        }
        this.tableOut = weights.matrix("scale_shift_table", 2, width);
        this.normOut = LayerNorm.withoutWeights(width, OUT_EPS);
        this.out = Linear.of(weights.at("proj_out"), width, p * p * config.latentChannels());
    }

    @Override
    public long crossAttentionDim() {
        return config.contextDim();
    }

    @Override
    public long latentChannels() {
        return config.latentChannels();
    }

    @Override
    public Tensor predict(Tensor zt, Tensor levels, Condition condition) {
        requireShapes(zt, condition);
        ScalarType dtype = placement.precision().dtype();
        return Scopes.returning(() -> {
            Tensor t =
                    Tensors.onto(levels, placement.device(), ScalarType.Float).mul(new Scalar(TIME_FACTOR));
            Tensor vector = timeIn.forward(waves.forward(t).to(dtype));
            Tensor time = modulation.forward(torch.silu(vector)).unflatten(1, SanaBlock.PARTS, config.width());
            Tensor text = text(Tensors.onto(condition.tokens(), placement.device(), dtype));
            Tensor grid = patches.forward(Tensors.onto(zt, placement.device(), dtype)); // [batch, width, rows, columns]
            long rows = grid.size(2);
            long columns = grid.size(3);
            Tensor x = PatchTokens.of(grid);
            for (SanaBlock block : blocks) {
                x = placement
                        .activations()
                        .through(in -> block.forward(in[0], in[1], in[2], rows, columns), x, text, time);
            }
            TensorVector m = vector.unsqueeze(1).add(tableOut).chunk(2, 1);
            Tensor image = out.forward(AdaptiveBlock.modulated(normOut.forward(x), m.get(0), m.get(1)));
            return PatchTokens.toImage(image, rows, columns, config.patchSize()).to(ScalarType.Float);
        });
    }

    private Tensor text(Tensor tokens) {
        return Scopes.returning(() -> textNorm.forward(textOut.forward(textIn.forward(tokens, Activation.GELU_TANH))));
    }

    private void requireShapes(Tensor zt, Condition condition) {
        PatchTokens.requireLatent(zt, config.latentChannels(), config.patchSize());
        condition.requireVector(0);
        condition.requireTokens(config.contextDim());
    }
}
