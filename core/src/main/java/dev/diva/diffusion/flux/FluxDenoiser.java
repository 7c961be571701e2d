package dev.diva.diffusion.flux;

import dev.diva.BadInputException;
import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.layer.SinusoidalEmbedding;
import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.util.Arrays;
import java.util.function.BiConsumer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * FLUX.1, and GenHancer's small one: told of real noise levels, of one token or more and of a vector, it predicts the velocity of a
 * rectified flow. The weights may be frozen or trained.
 */
public final class FluxDenoiser implements Denoiser {
    /** Side of a patch, in latent pixels. */
    public static final long PATCH = 2;

    private static final double TIME_FACTOR = 1000;

    /** What GenHancer tells its denoiser. */
    private static final double OWN_GUIDANCE = 4;

    /** What diffusers tells FLUX.1-dev, in training as in sampling. */
    private static final double DIFFUSERS_GUIDANCE = 3.5;

    private final FluxConfig config;
    private final Placement placement;
    private final boolean learns;
    private final FluxLayers layers;
    private final SinusoidalEmbedding waves;
    private final double guidance;

    private FluxDenoiser(
            Weights weights, FluxConfig config, FluxLayers layers, SinusoidalEmbedding waves, double guidance) {
        this.config = config;
        this.placement = weights.placement();
        this.layers = layers;
        this.waves = waves;
        this.guidance = guidance;
        this.learns = !weights.parameters().isEmpty();
    }

    /**
     * Reads every tensor under the names of FLUX.1's own code. The caller ends with {@link Weights#finish} and closes the weights.
     */
    public static FluxDenoiser of(Weights weights, FluxConfig config) {
        SinusoidalEmbedding waves = SinusoidalEmbedding.roundedOnce(FluxLayers.FREQUENCIES);
        return new FluxDenoiser(weights, config, FluxLayers.of(weights, config), waves, OWN_GUIDANCE);
    }

    /** The same under the names of diffusers' FluxTransformer2DModel. */
    public static FluxDenoiser ofDiffusers(Weights weights, FluxConfig config) {
        SinusoidalEmbedding waves = new SinusoidalEmbedding(FluxLayers.FREQUENCIES, true, 0);
        return new FluxDenoiser(weights, config, DiffusersLayers.of(weights, config), waves, DIFFUSERS_GUIDANCE);
    }

    /** The shape that the weights were read with. */
    public FluxConfig config() {
        return config;
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

    @Override
    public boolean learns() {
        return learns;
    }

    /**
     * {@inheritDoc}
     *
     * @throws BadInputException when a side of the latents is odd, so that it does not split into patches, or the vector does not fit
     */
    @Override
    public Tensor predict(Tensor zt, Tensor levels, Condition condition) {
        return predict(zt, levels, condition, (name, value) -> {});
    }

    /** @param stages sees what each part gives under its name; it belongs to the scope of the call */
    Tensor predict(Tensor zt, Tensor levels, Condition condition, BiConsumer<String, Tensor> stages) {
        requireShapes(zt, condition);
        ScalarType dtype = placement.precision().dtype();
        return Scopes.returning(() -> {
            long texts = condition.tokens().size(1);
            long rows = zt.size(2) / 2;
            long columns = zt.size(3) / 2;
            Tensor vector = vector(levels, condition.vector(), dtype);
            stages.accept("vec", vector);
            Rotation rotation = Rotation.of(config, texts, rows, columns, placement.device());
            stages.accept("cos", rotation.turns().select(-1, 0));
            stages.accept("sin", rotation.turns().select(-1, 1));
            Tensor txt = layers.textIn().forward(Tensors.onto(condition.tokens(), placement.device(), dtype));
            Tensor img = layers.imageIn().forward(Patches.of(Tensors.onto(zt, placement.device(), dtype)));
            Tensor x = torch.cat(new TensorVector(txt, img), 1);
            for (int i = 0; i < layers.blocks().size(); i++) {
                FluxBlock block = layers.blocks().get(i);
                x = placement
                        .activations()
                        .through(
                                in -> block.forward(in[0], in[1], texts, new Rotation(in[2])::apply),
                                x,
                                vector,
                                rotation.turns());
                stages.accept("block." + i, x);
            }
            Tensor image = layers.normOut().forward(x.narrow(1, texts, rows * columns), vector);
            Tensor out = layers.linearOut().forward(image);
            return Patches.join(out.to(ScalarType.Float), rows, columns);
        });
    }

    private Tensor vector(Tensor levels, Tensor told, ScalarType dtype) {
        Tensor t = Tensors.onto(levels, placement.device(), ScalarType.Float).mul(new Scalar(TIME_FACTOR));
        Tensor vector = layers.timeIn().forward(waves.forward(t).to(dtype));
        if (layers.guidanceIn() != null) {
            Tensor scale = Tensors.onto(
                    torch.full(new long[] {1}, new Scalar(TIME_FACTOR * guidance), new TensorOptions(ScalarType.Float)),
                    placement.device(),
                    ScalarType.Float);
            vector = vector.add(layers.guidanceIn().forward(waves.forward(scale).to(dtype)));
        }
        return vector.add(layers.vectorIn().forward(Tensors.onto(told, placement.device(), dtype)));
    }

    private void requireShapes(Tensor zt, Condition condition) {
        if (zt.dim() != 4 || zt.size(1) != config.latentChannels()) {
            throw new IllegalArgumentException("latent " + Arrays.toString(zt.shape()) + ", expected [batch, "
                    + config.latentChannels() + ", h, w]");
        }
        if (zt.size(2) % 2 != 0 || zt.size(3) % 2 != 0) {
            throw new BadInputException("latents of " + zt.size(2) + " x " + zt.size(3)
                    + " do not split into the denoiser's patches of 2 x 2; take images whose sides are multiples of"
                    + " twice the autoencoder's downscale");
        }
        condition.requireVector(config.vectorDim());
        condition.requireTokens(config.contextDim());
    }
}
