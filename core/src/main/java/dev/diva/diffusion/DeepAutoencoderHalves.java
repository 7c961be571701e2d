package dev.diva.diffusion;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.dc.AttentionBlock;
import dev.diva.diffusion.dc.ResidualBlock;
import dev.diva.diffusion.dc.Resizing;
import dev.diva.diffusion.layer.PixelNorm;
import dev.diva.engine.Kernels;
import dev.diva.model.Conv2d;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/** Encoder and decoder of an AutoencoderDC as the list of their layers, each from an image to an image. */
final class DeepAutoencoderHalves {
    private final DeepAutoencoderConfig config;

    DeepAutoencoderHalves(DeepAutoencoderConfig config) {
        this.config = config;
    }

    /** [batch, 3, H, W] to [batch, latentChannels, H / downscale, W / downscale]. */
    List<UnaryOperator<Tensor>> encoder(Weights weights) {
        List<DeepAutoencoderConfig.Level> levels = config.encoder();
        List<UnaryOperator<Tensor>> layers = new ArrayList<>();
        layers.add(convolution(weights.at("conv_in"), 3, levels.get(0).channels()));
        for (int i = 0; i < levels.size(); i++) {
            long channels = levels.get(i).channels();
            int next = blocks(layers, weights.at("down_blocks", i), levels.get(i), 0);
            if (i < levels.size() - 1) {
                long coarser = levels.get(i + 1).channels();
                Weights down = weights.at("down_blocks", i).at(String.valueOf(next));
                layers.add(Resizing.down(down, channels, coarser, config.unshuffles()));
            }
        }
        long last = levels.get(levels.size() - 1).channels();
        layers.add(Resizing.narrow(weights.at("conv_out"), last, config.latentChannels()));
        return layers;
    }

    /** [batch, latentChannels, h, w] to [batch, 3, h * downscale, w * downscale]. */
    List<UnaryOperator<Tensor>> decoder(Weights weights) {
        List<DeepAutoencoderConfig.Level> levels = config.decoder();
        List<UnaryOperator<Tensor>> layers = new ArrayList<>();
        long last = levels.get(levels.size() - 1).channels();
        layers.add(Resizing.widen(weights.at("conv_in"), config.latentChannels(), last));
        for (int i = levels.size() - 1; i >= 0; i--) {
            Weights level = weights.at("up_blocks", i);
            boolean isLast = i == levels.size() - 1;
            if (!isLast) {
                long coarser = levels.get(i + 1).channels();
                layers.add(Resizing.up(level.at("0"), coarser, levels.get(i).channels(), config.interpolates()));
            }
            blocks(layers, level, levels.get(i), isLast ? 0 : 1);
        }
        long finest = levels.get(0).channels();
        PixelNorm norm = new PixelNorm(weights.at("norm_out"), finest);
        layers.add(x -> Kernels.relu(norm.forward(x)));
        layers.add(convolution(weights.at("conv_out"), finest, 3));
        return layers;
    }

    /**
     * Adds the blocks of a level.
     *
     * @param from the number of the first
     * @return that of what follows them
     */
    private int blocks(
            List<UnaryOperator<Tensor>> layers, Weights weights, DeepAutoencoderConfig.Level level, int from) {
        int index = from;
        for (long i = 0; i < level.blocks(); i++) {
            Weights block = weights.at(String.valueOf(index++));
            layers.add(
                    level.attends()
                            ? new AttentionBlock(block, level.channels(), config.headDim(), level.kernels())::forward
                            : new ResidualBlock(block, level.channels())::forward);
        }
        return index;
    }

    private static UnaryOperator<Tensor> convolution(Weights weights, long in, long out) {
        return Conv2d.of(weights, in, out, Conv2d.Geometry.SAME_3)::forward;
    }
}
