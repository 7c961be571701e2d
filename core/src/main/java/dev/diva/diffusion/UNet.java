package dev.diva.diffusion;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.Conv2d;
import dev.diva.model.GroupNorm;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.BiConsumer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The UNet of Stable Diffusion 1.x, 2.x and XL and of Stable unCLIP, built from diffusers' names. The weights may be frozen or trained; the graph of gradients
 * begins at the first layer that sees something trained, so that with frozen weights all before the first attention to the condition
 * keeps nothing.
 */
public final class UNet implements Denoiser {
    private static final long PIXELS_PER_LATENT = 8;

    private final UNetConfig config;
    private final Placement placement;
    private final TimeCondition time;
    private final Conv2d convIn;
    private final List<UNetLevels.Down> downs = new ArrayList<>();
    private final UNetLevels.Middle middle;
    private final List<UNetLevels.Up> ups = new ArrayList<>();
    private final GroupNorm normOut;
    private final Conv2d convOut;

    /**
     * SDXL's condition beside the tokens.
     *
     * @param pooledText [batch, pooledDim]
     * @param numbers original height and width, crop top and left, target height and width in pixels, [batch, 6]
     */
    public record Added(Tensor pooledText, Tensor numbers) {}

    /** Reads every tensor of a UNet2DConditionModel. The caller ends with {@link Weights#finish} and closes the weights. */
    public UNet(Weights weights, UNetConfig config) {
        this.config = config;
        this.placement = weights.placement();
        List<UNetConfig.Level> levels = config.levels();
        int coarsest = levels.size() - 1;
        long first = levels.get(0).channels();
        UNetLevels builder = new UNetLevels(config);
        this.time = new TimeCondition(weights, config.time());
        this.convIn = Conv2d.of(weights.at("conv_in"), config.latentChannels(), first, Conv2d.Geometry.SAME_3);
        Deque<Long> skips = UNetLevels.skipsAfter(first);
        for (int i = 0; i <= coarsest; i++) {
            downs.add(builder.down(weights.at("down_blocks", i), levels.get(i), i == coarsest, skips));
        }
        this.middle = builder.middle(weights.at("mid_block"), levels.get(coarsest));
        long below = levels.get(coarsest).channels();
        for (int i = 0; i <= coarsest; i++) {
            UNetConfig.Level level = levels.get(coarsest - i);
            ups.add(builder.up(weights.at("up_blocks", i), level, below, i == coarsest, skips));
            below = level.channels();
        }
        this.normOut = new GroupNorm(weights.at("conv_norm_out"), first, config.normGroups(), config.normEps());
        this.convOut = Conv2d.of(weights.at("conv_out"), first, config.latentChannels(), Conv2d.Geometry.SAME_3);
    }

    /** The shape that the weights were read with. */
    public UNetConfig config() {
        return config;
    }

    @Override
    public long crossAttentionDim() {
        return config.crossAttentionDim();
    }

    @Override
    public long vectorDim() {
        return config.time().added() == null
                ? config.time().classDim()
                : config.time().added().pooledDim();
    }

    @Override
    public long latentChannels() {
        return config.latentChannels();
    }

    /**
     * {@inheritDoc}
     *
     * <p>An SDXL UNet takes the condition's vector as pooled text, zeros where there is none, and the size of the image (eight pixels to a
     * latent) as original and target size without crop.
     */
    @Override
    public Tensor predict(Tensor zt, Tensor timesteps, Condition condition) {
        boolean isXl = config.time().added() != null;
        Tensor pooled = isXl ? condition.vector() : null;
        if (!isXl || pooled != null) {
            condition.requireVector(vectorDim());
        }
        return Scopes.returning(() -> {
            Added added = isXl ? added(zt, pooled) : null;
            Tensor classes = isXl ? null : condition.vector();
            return predict(zt, timesteps, new Conditions(condition.tokens(), added, classes), (name, output) -> {});
        });
    }

    /** {@link #predict(Tensor, Tensor, Tensor)} with SDXL's added condition. */
    public Tensor predict(Tensor zt, Tensor timesteps, Tensor condition, Added added) {
        return predict(zt, timesteps, new Conditions(condition, added, null), (name, output) -> {});
    }

    /** All that a prediction depends on beside latent and timestep; what the model has not is null. */
    record Conditions(Tensor tokens, Added added, Tensor classes) {}

    /** @param stages sees the output of each stage under its name; it belongs to the scope of the call */
    Tensor predict(Tensor zt, Tensor timesteps, Conditions conditions, BiConsumer<String, Tensor> stages) {
        requireShapes(zt, conditions.tokens);
        ScalarType dtype = placement.precision().dtype();
        return Scopes.returning(() -> {
            Tensor t = Tensors.onto(timesteps, placement.device(), ScalarType.Long);
            Tensor embedding = time.forward(t, conditions, dtype);
            stages.accept("time_embedding", embedding);
            UNetLevels.Inputs inputs = new UNetLevels.Inputs(
                    torch.silu(embedding), Tensors.onto(conditions.tokens, placement.device(), dtype));
            Deque<Tensor> skips = new ArrayDeque<>();
            Tensor h = convIn.forward(Tensors.onto(zt, placement.device(), dtype));
            stages.accept("conv_in", h);
            skips.push(h);
            for (int i = 0; i < downs.size(); i++) {
                h = downs.get(i).forward(h, inputs, skips);
                stages.accept("down." + i, h);
            }
            h = middle.forward(h, inputs);
            stages.accept("mid", h);
            for (int i = 0; i < ups.size(); i++) {
                h = ups.get(i).forward(h, inputs, skips);
                stages.accept("up." + i, h);
            }
            return convOut.forward(normOut.silu(h)).to(ScalarType.Float);
        });
    }

    /** @param told the pooled text, or null for zeros */
    private Added added(Tensor zt, Tensor told) {
        long batch = zt.size(0);
        float height = (float) (PIXELS_PER_LATENT * zt.size(2));
        float width = (float) (PIXELS_PER_LATENT * zt.size(3));
        long[] shape = {batch, config.time().added().pooledDim()};
        Tensor pooled = told == null ? torch.zeros(shape, new TensorOptions(ScalarType.Float)) : told;
        Tensor numbers = Tensors.of(new float[] {height, width, 0, 0, height, width}, 1, 6);
        return new Added(pooled, numbers.expand(batch, -1));
    }

    private void requireShapes(Tensor zt, Tensor tokens) {
        if (zt.dim() != 4 || zt.size(1) != config.latentChannels()) {
            throw new IllegalArgumentException("latent " + Arrays.toString(zt.shape()) + ", expected [batch, "
                    + config.latentChannels() + ", h, w]");
        }
        Condition.of(tokens).requireTokens(config.crossAttentionDim());
    }
}
