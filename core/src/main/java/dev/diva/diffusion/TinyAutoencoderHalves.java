package dev.diva.diffusion;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Kernels;
import dev.diva.model.Conv2d;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Encoder and decoder of an AutoencoderTiny as the list of their layers, each from an image to an image. */
final class TinyAutoencoderHalves {
    private static final Conv2d.Geometry HALVING = new Conv2d.Geometry(3, 2, 1);
    /** Latents are squeezed softly into +-3. */
    private static final double MAGNITUDE = 3;

    private final TinyAutoencoderConfig config;

    TinyAutoencoderHalves(TinyAutoencoderConfig config) {
        this.config = config;
    }

    /** [batch, 3, H, W] in -1 ... 1 to [batch, latentChannels, H / downscale, W / downscale]. */
    List<UnaryOperator<Tensor>> encoder(Weights weights) {
        long channels = config.encoderChannels();
        List<UnaryOperator<Tensor>> layers = new ArrayList<>();
        layers.add(x -> x.add(new Scalar(1)).div(new Scalar(2)));
        int index = 0; // in the sequence of the file
        for (int level = 0; level < config.encoderBlocks().size(); level++) {
            Weights first = weights.at("layers", index++);
            layers.add(
                    level == 0
                            ? Conv2d.of(first, 3, channels, Conv2d.Geometry.SAME_3)::forward
                            : Conv2d.withoutBias(first, channels, channels, HALVING)::forward);
            for (long i = 0; i < config.encoderBlocks().get(level); i++) {
                layers.add(new Block(weights.at("layers", index++), channels)::forward);
            }
        }
        layers.add(
                Conv2d.of(weights.at("layers", index), channels, config.latentChannels(), Conv2d.Geometry.SAME_3)
                        ::forward);
        return layers;
    }

    /** [batch, latentChannels, h, w] to [batch, 3, h * downscale, w * downscale] in about -1 ... 1. */
    List<UnaryOperator<Tensor>> decoder(Weights weights) {
        long channels = config.decoderChannels();
        int levels = config.decoderBlocks().size();
        List<UnaryOperator<Tensor>> layers = new ArrayList<>();
        layers.add(x -> x.div(new Scalar(MAGNITUDE)).tanh().mul(new Scalar(MAGNITUDE)));
        layers.add(
                Conv2d.of(weights.at("layers", 0), config.latentChannels(), channels, Conv2d.Geometry.SAME_3)::forward);
        layers.add(torch::relu);
        int index = 2;
        for (int level = 0; level < levels; level++) {
            for (long i = 0; i < config.decoderBlocks().get(level); i++) {
                layers.add(new Block(weights.at("layers", index++), channels)::forward);
            }
            boolean isLast = level == levels - 1;
            if (isLast) {
                layers.add(Conv2d.of(weights.at("layers", index), channels, 3, Conv2d.Geometry.SAME_3)::forward);
            } else {
                layers.add(TinyAutoencoderHalves::doubled);
                index++;
                layers.add(
                        Conv2d.withoutBias(weights.at("layers", index++), channels, channels, Conv2d.Geometry.SAME_3)
                                ::forward);
            }
        }
        layers.add(x -> x.mul(new Scalar(2)).sub(new Scalar(1)));
        return layers;
    }

    private static Tensor doubled(Tensor x) {
        return torch.upsample_nearest2d(
                x, new long[] {2 * x.size(2), 2 * x.size(3)}, new DoubleOptional(), new DoubleOptional());
    }

    /** Three convolutions beside a short cut. */
    private static final class Block {
        private final List<Conv2d> convolutions = new ArrayList<>();

        Block(Weights weights, long channels) {
            for (int i = 0; i < 3; i++) {
                convolutions.add(Conv2d.of(weights.at("conv", 2 * i), channels, channels, Conv2d.Geometry.SAME_3));
            }
        }

        Tensor forward(Tensor x) {
            Tensor first = Kernels.relu(convolutions.get(0).forward(x));
            Tensor second = Kernels.relu(convolutions.get(1).forward(first));
            return Kernels.relu(convolutions.get(2).forward(second).add(x));
        }
    }
}
