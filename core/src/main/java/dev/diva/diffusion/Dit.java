package dev.diva.diffusion;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.layer.AdaptiveBlock;
import dev.diva.diffusion.layer.ModulatedNorm;
import dev.diva.diffusion.layer.PatchTokens;
import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.Conv2d;
import dev.diva.model.Linear;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The diffusion transformer of Peebles and Xie, under diffusers' names. It knows classes and no tokens; as a teacher it takes the mean
 * over the tokens of a condition of its own width, added to the embedding of no class in every block. A convention of ours: nobody
 * trained a DiT with it.
 */
public final class Dit implements Denoiser {
    private final DitConfig config;
    private final Placement placement;
    private final Conv2d patches;
    private final List<AdaptiveBlock> blocks = new ArrayList<>();
    private final ModulatedNorm normOut;
    private final Linear projectionOut;

    /** Reads every tensor of a DiTTransformer2DModel. The caller ends with {@link Weights#finish} and closes the weights. */
    public Dit(Weights weights, DitConfig config) {
        this.config = config;
        this.placement = weights.placement();
        long width = config.width();
        long p = config.patchSize();
        this.patches = Conv2d.of(
                weights.at("pos_embed").at("proj"), config.latentChannels(), width, new Conv2d.Geometry(p, p, 0));
        AdaptiveBlock.Shape shape = new AdaptiveBlock.Shape(width, config.heads(), config.classes(), config.normEps());
        for (int i = 0; i < config.layers(); i++) {
            blocks.add(new AdaptiveBlock(weights.at("transformer_blocks", i), shape));
        }
        this.normOut = ModulatedNorm.shiftFirst(weights.at("proj_out_1"), width);
        this.projectionOut = Linear.of(weights.at("proj_out_2"), width, p * p * config.outChannels());
    }

    @Override
    public long crossAttentionDim() {
        return config.width();
    }

    @Override
    public long latentChannels() {
        return config.latentChannels();
    }

    @Override
    public Tensor predict(Tensor zt, Tensor timesteps, Condition told) {
        told.requireVector(0);
        Tensor condition = told.tokens();
        told.requireTokens(config.width());
        return Scopes.returning(() -> {
            long[] noClass = new long[Math.toIntExact(zt.size(0))];
            Arrays.fill(noClass, config.classes());
            Tensor mean = Tensors.onto(
                            condition, placement.device(), placement.precision().dtype())
                    .mean(1);
            return output(zt, timesteps, Tensors.of(noClass, noClass.length), mean)
                    .narrow(1, 0, config.latentChannels());
        });
    }

    /**
     * The whole output for class labels.
     *
     * @param labels int64 [batch], 0 to classes; the last stands for no class
     * @return fp32 [batch, outChannels, h, w]
     */
    public Tensor classPrediction(Tensor zt, Tensor timesteps, Tensor labels) {
        return Scopes.returning(() -> output(zt, timesteps, labels, null));
    }

    private Tensor output(Tensor zt, Tensor timesteps, Tensor labels, Tensor added) {
        PatchTokens.requireLatent(zt, config.latentChannels(), config.patchSize());
        ScalarType dtype = placement.precision().dtype();
        Tensor t = Tensors.onto(timesteps, placement.device(), ScalarType.Long);
        Tensor classes = Tensors.onto(labels, placement.device(), ScalarType.Long);
        Tensor grid = patches.forward(Tensors.onto(zt, placement.device(), dtype)); // [batch, width, rows, columns]
        long rows = grid.size(2);
        long columns = grid.size(3);
        Tensor x = PatchTokens.of(grid).add(Tensors.onto(positions(rows, columns), placement.device(), dtype));
        Tensor first = null;
        for (AdaptiveBlock block : blocks) {
            Tensor embedding = block.embedding(t, classes, dtype);
            embedding = added == null ? embedding : embedding.add(added);
            first = first == null ? embedding : first;
            x = placement.activations().through(in -> block.forward(in[0], in[1]), x, embedding);
        }
        return image(x, first, rows, columns).to(ScalarType.Float);
    }

    private Tensor image(Tensor x, Tensor embedding, long rows, long columns) {
        Tensor out = projectionOut.forward(normOut.forward(x, embedding));
        return PatchTokens.toImage(out, rows, columns, config.patchSize());
    }

    /** Sines and cosines of column and row, scaled so that any size spans the grid of sampleSize: fp32 [1, rows * columns, width]. */
    private Tensor positions(long rows, long columns) {
        double base = (double) config.sampleSize() / config.patchSize();
        int quarter = Math.toIntExact(config.width() / 4);
        float[] values = new float[Math.toIntExact(rows * columns * config.width())];
        int at = 0;
        for (long row = 0; row < rows; row++) {
            for (long column = 0; column < columns; column++) {
                at = waves(column * base / columns, quarter, values, at);
                at = waves(row * base / rows, quarter, values, at);
            }
        }
        return Tensors.of(values, 1, rows * columns, config.width());
    }

    private static int waves(double position, int quarter, float[] values, int at) {
        for (int i = 0; i < quarter; i++) {
            double angle = position / Math.pow(10000, (double) i / quarter);
            values[at + i] = (float) Math.sin(angle);
            values[at + quarter + i] = (float) Math.cos(angle);
        }
        return at + 2 * quarter;
    }
}
