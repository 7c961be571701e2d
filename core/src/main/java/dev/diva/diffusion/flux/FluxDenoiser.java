package dev.diva.diffusion.flux;

import dev.diva.BadInputException;
import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.layer.AdaptiveBlock;
import dev.diva.diffusion.layer.SinusoidalEmbedding;
import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * GenHancer's denoiser, a small FLUX.1: told of real noise levels, of one token or more and of a vector, it predicts the velocity of a
 * rectified flow. Names are those of FLUX.1's own code. The weights may be frozen or trained.
 */
public final class FluxDenoiser implements Denoiser {
    private static final int FREQUENCIES = 256;
    private static final double TIME_FACTOR = 1000;
    private static final double GUIDANCE = 4;
    private static final double NORM_EPS = 1e-6;

    private final FluxConfig config;
    private final Placement placement;
    private final boolean learns;
    private final Linear imageIn;
    private final Linear textIn;
    private final SinusoidalEmbedding waves = SinusoidalEmbedding.roundedOnce(FREQUENCIES);
    private final VectorMlp timeIn;
    private final VectorMlp guidanceIn; // null without guidance
    private final VectorMlp vectorIn;
    private final List<FluxBlock> blocks = new ArrayList<>();
    private final LayerNorm normOut;
    private final Linear modulationOut;
    private final Linear linearOut;

    /** Reads every tensor. The caller ends with {@link Weights#finish} and closes the weights. */
    public FluxDenoiser(Weights weights, FluxConfig config) {
        long width = config.hiddenSize();
        this.config = config;
        this.placement = weights.placement();
        this.imageIn = Linear.of(weights.at("img_in"), config.inChannels(), width);
        this.textIn = Linear.of(weights.at("txt_in"), config.contextDim(), width);
        this.timeIn = new VectorMlp(weights.at("time_in"), FREQUENCIES, width);
        this.guidanceIn = config.guided() ? new VectorMlp(weights.at("guidance_in"), FREQUENCIES, width) : null;
        this.vectorIn = new VectorMlp(weights.at("vector_in"), config.vectorDim(), width);
        for (int i = 0; i < config.depth(); i++) {
            blocks.add(new DoubleBlock(weights.at("double_blocks", i), config));
        }
        for (int i = 0; i < config.depthSingle(); i++) {
            blocks.add(new SingleBlock(weights.at("single_blocks", i), config));
        }
        Weights last = weights.at("final_layer");
        this.normOut = LayerNorm.withoutWeights(width, NORM_EPS);
        this.modulationOut = Linear.of(last.at("adaLN_modulation", 1), width, 2 * width);
        this.linearOut = Linear.of(last.at("linear"), width, config.inChannels());
        this.learns = !weights.parameters().isEmpty();
    }

    /** Two linear layers with SiLU between them. */
    private static final class VectorMlp {
        private final Linear in;
        private final Linear out;

        VectorMlp(Weights weights, long width, long hidden) {
            this.in = Linear.of(weights.at("in_layer"), width, hidden);
            this.out = Linear.of(weights.at("out_layer"), hidden, hidden);
        }

        Tensor forward(Tensor x) {
            return out.forward(torch.silu(in.forward(x)));
        }
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
            stages.accept("cos", rotation.cosine());
            stages.accept("sin", rotation.sine());
            Tensor txt = textIn.forward(Tensors.onto(condition.tokens(), placement.device(), dtype));
            Tensor img = imageIn.forward(Patches.of(Tensors.onto(zt, placement.device(), dtype)));
            Tensor x = torch.cat(new TensorVector(txt, img), 1);
            for (int i = 0; i < blocks.size(); i++) {
                FluxBlock block = blocks.get(i);
                x = placement
                        .activations()
                        .through(
                                in -> block.forward(in[0], in[1], texts, new Rotation(in[2], in[3])),
                                x,
                                vector,
                                rotation.cosine(),
                                rotation.sine());
                stages.accept("block." + i, x);
            }
            TensorVector m =
                    modulationOut.forward(torch.silu(vector)).unsqueeze(1).chunk(2, -1);
            Tensor image = x.narrow(1, texts, rows * columns);
            Tensor out = linearOut.forward(AdaptiveBlock.modulated(normOut.forward(image), m.get(0), m.get(1)));
            return Patches.join(out.to(ScalarType.Float), rows, columns);
        });
    }

    private Tensor vector(Tensor levels, Tensor told, ScalarType dtype) {
        Tensor t = Tensors.onto(levels, placement.device(), ScalarType.Float).mul(new Scalar(TIME_FACTOR));
        Tensor vector = timeIn.forward(waves.forward(t).to(dtype));
        if (guidanceIn != null) {
            Tensor guidance = Tensors.onto(
                    torch.full(new long[] {1}, new Scalar(TIME_FACTOR * GUIDANCE), new TensorOptions(ScalarType.Float)),
                    placement.device(),
                    ScalarType.Float);
            vector = vector.add(guidanceIn.forward(waves.forward(guidance).to(dtype)));
        }
        return vector.add(vectorIn.forward(Tensors.onto(told, placement.device(), dtype)));
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
        Tensor tokens = condition.tokens();
        if (tokens.dim() != 3 || tokens.size(2) != config.contextDim()) {
            throw new IllegalArgumentException("condition " + Arrays.toString(tokens.shape())
                    + ", expected [batch, tokens, " + config.contextDim() + "]");
        }
    }
}
