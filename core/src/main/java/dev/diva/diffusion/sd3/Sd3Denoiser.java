package dev.diva.diffusion.sd3;

import dev.diva.BadInputException;
import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.layer.EmbeddingMlp;
import dev.diva.diffusion.layer.JointBlock;
import dev.diva.diffusion.layer.ModulatedNorm;
import dev.diva.diffusion.layer.PatchTokens;
import dev.diva.diffusion.layer.SinusoidalEmbedding;
import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.Conv2d;
import dev.diva.model.Linear;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The MMDiT of Stable Diffusion 3 and the MMDiT-X of 3.5 medium (Esser et al. 2024), under diffusers' names: told of real noise levels, of
 * tokens and of a vector, it predicts the velocity of a rectified flow.
 */
public final class Sd3Denoiser implements Denoiser {
    private static final int FREQUENCIES = 256;
    private static final double TIME_FACTOR = 1000;

    private final Sd3Config config;
    private final Placement placement;
    private final Conv2d patches;
    private final Tensor positions; // [positions, positions, width]
    private final SinusoidalEmbedding waves = new SinusoidalEmbedding(FREQUENCIES, true, 0);
    private final EmbeddingMlp timeIn;
    private final EmbeddingMlp vectorIn;
    private final Linear textIn;
    private final List<JointBlock> blocks = new ArrayList<>();
    private final ModulatedNorm normOut;
    private final Linear out;

    /** Reads every tensor of an SD3Transformer2DModel. The caller ends with {@link Weights#finish} and closes the weights. */
    public Sd3Denoiser(Weights weights, Sd3Config config) {
        long width = config.width();
        long side = config.positions();
        long p = config.patchSize();
        Weights told = weights.at("time_text_embed");
        this.config = config;
        this.placement = weights.placement();
        this.patches = Conv2d.of(
                weights.at("pos_embed").at("proj"), config.latentChannels(), width, new Conv2d.Geometry(p, p, 0));
        this.positions = weights.keep(weights.at("pos_embed")
                .matrix("pos_embed", 1, side * side, width)
                .view(side, side, width));
        this.timeIn = new EmbeddingMlp(told.at("timestep_embedder"), FREQUENCIES, width);
        this.vectorIn = new EmbeddingMlp(told.at("text_embedder"), config.vectorDim(), width);
        this.textIn = Linear.of(weights.at("context_embedder"), config.contextDim(), width);
        for (int i = 0; i < config.layers(); i++) {
            JointBlock.Shape shape = new JointBlock.Shape(
                    width, config.heads(), config.normsHeads(), config.twice().contains(i), i == config.layers() - 1);
            blocks.add(JointBlock.of(weights.at("transformer_blocks", i), shape));
        }
        this.normOut = ModulatedNorm.scaleFirst(weights.at("norm_out").at("linear"), width);
        this.out = Linear.of(weights.at("proj_out"), width, p * p * config.latentChannels());
    }

    @Override
    public long crossAttentionDim() {
        return config.contextDim();
    }

    @Override
    public long vectorDim() {
        return config.vectorDim();
    }

    @Override
    public long latentChannels() {
        return config.latentChannels();
    }

    /**
     * {@inheritDoc}
     *
     * @throws BadInputException when the latents have more patches along a side than the model has positions, or the vector does not fit
     */
    @Override
    public Tensor predict(Tensor zt, Tensor levels, Condition condition) {
        requireShapes(zt, condition);
        ScalarType dtype = placement.precision().dtype();
        return Scopes.returning(() -> {
            Tensor t =
                    Tensors.onto(levels, placement.device(), ScalarType.Float).mul(new Scalar(TIME_FACTOR));
            Tensor vector = timeIn.forward(waves.forward(t).to(dtype))
                    .add(vectorIn.forward(Tensors.onto(condition.vector(), placement.device(), dtype)));
            Tensor grid = patches.forward(Tensors.onto(zt, placement.device(), dtype)); // [batch, width, rows, columns]
            long rows = grid.size(2);
            long columns = grid.size(3);
            Tensor img = PatchTokens.of(grid).add(middle(rows, columns));
            Tensor txt = textIn.forward(Tensors.onto(condition.tokens(), placement.device(), dtype));
            long texts = txt.size(1);
            Tensor x = torch.cat(new TensorVector(txt, img), 1);
            for (JointBlock block : blocks) {
                x = placement
                        .activations()
                        .through(in -> block.forward(in[0], in[1], texts, UnaryOperator.identity()), x, vector);
            }
            Tensor image = out.forward(normOut.forward(x.narrow(1, texts, rows * columns), vector));
            return PatchTokens.toImage(image, rows, columns, config.patchSize()).to(ScalarType.Float);
        });
    }

    /** Positions of a smaller image are those in the middle of the largest: [1, rows * columns, width]. */
    private Tensor middle(long rows, long columns) {
        long side = config.positions();
        return positions
                .narrow(0, (side - rows) / 2, rows)
                .narrow(1, (side - columns) / 2, columns)
                .reshape(1, rows * columns, config.width());
    }

    private void requireShapes(Tensor zt, Condition condition) {
        PatchTokens.requireLatent(zt, config.latentChannels(), config.patchSize());
        long most = config.largestLatent();
        if (zt.size(2) > most || zt.size(3) > most) {
            throw new BadInputException("latents of " + zt.size(2) + " x " + zt.size(3)
                    + ", the denoiser has positions for " + most + " x " + most + "; set a smaller resolution");
        }
        condition.requireVector(config.vectorDim());
        condition.requireTokens(config.contextDim());
    }
}
