package dev.diva.diffusion;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.layer.Downsample;
import dev.diva.diffusion.layer.ResnetBlock;
import dev.diva.diffusion.layer.SpatialAttention;
import dev.diva.diffusion.layer.Upsample;
import dev.diva.model.Conv2d;
import dev.diva.model.GroupNorm;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/** Encoder and decoder of an AutoencoderKL as the list of their layers, each from an image to an image. */
final class AutoencoderHalves {
    private static final double NORM_EPS = 1e-6;

    private final AutoencoderConfig config;
    private final ResnetBlock.Shape shape;

    AutoencoderHalves(AutoencoderConfig config) {
        this.config = config;
        this.shape = new ResnetBlock.Shape(0, config.normGroups(), NORM_EPS);
    }

    /** [batch, 3, H, W] to [batch, 2 * latentChannels, H / downscale, W / downscale]. */
    List<UnaryOperator<Tensor>> encoder(Weights whole) {
        Weights weights = whole.at("encoder");
        List<UnaryOperator<Tensor>> layers = new ArrayList<>();
        List<Long> channels = config.channels();
        long in = channels.get(0);
        layers.add(convolution(weights.at("conv_in"), 3, in));
        for (int i = 0; i < channels.size(); i++) {
            Weights level = weights.at("down_blocks", i);
            in = resnets(layers, level, in, channels.get(i), config.layersPerLevel());
            if (i < channels.size() - 1) {
                layers.add(Downsample.paddedAfter(level.at("downsamplers", 0), in)::forward);
            }
        }
        middle(layers, weights.at("mid_block"), in);
        end(layers, weights, in, 2 * config.latentChannels());
        if (config.quantConvolutions()) {
            layers.add(point(whole.at("quant_conv"), 2 * config.latentChannels()));
        }
        return layers;
    }

    /** [batch, latentChannels, h, w] to [batch, 3, h * downscale, w * downscale]. */
    List<UnaryOperator<Tensor>> decoder(Weights whole) {
        Weights weights = whole.at("decoder");
        List<UnaryOperator<Tensor>> layers = new ArrayList<>();
        if (config.quantConvolutions()) {
            layers.add(point(whole.at("post_quant_conv"), config.latentChannels()));
        }
        List<Long> channels = new ArrayList<>(config.channels());
        Collections.reverse(channels);
        long in = channels.get(0);
        layers.add(convolution(weights.at("conv_in"), config.latentChannels(), in));
        middle(layers, weights.at("mid_block"), in);
        for (int i = 0; i < channels.size(); i++) {
            Weights level = weights.at("up_blocks", i);
            in = resnets(layers, level, in, channels.get(i), config.layersPerLevel() + 1);
            if (i < channels.size() - 1) {
                Upsample upsample = new Upsample(level.at("upsamplers", 0), in);
                layers.add(x -> upsample.forward(x, 2 * x.size(2), 2 * x.size(3)));
            }
        }
        end(layers, weights, in, 3);
        return layers;
    }

    private long resnets(List<UnaryOperator<Tensor>> layers, Weights level, long in, long out, int count) {
        for (int j = 0; j < count; j++) {
            layers.add(new ResnetBlock(level.at("resnets", j), j == 0 ? in : out, out, shape)::forward);
        }
        return out;
    }

    private void middle(List<UnaryOperator<Tensor>> layers, Weights weights, long channels) {
        layers.add(new ResnetBlock(weights.at("resnets", 0), channels, channels, shape)::forward);
        if (config.middleAttention()) {
            layers.add(new SpatialAttention(weights.at("attentions", 0), channels, shape)::forward);
        }
        layers.add(new ResnetBlock(weights.at("resnets", 1), channels, channels, shape)::forward);
    }

    private void end(List<UnaryOperator<Tensor>> layers, Weights weights, long in, long out) {
        GroupNorm norm = new GroupNorm(weights.at("conv_norm_out"), in, config.normGroups(), NORM_EPS);
        layers.add(norm::silu);
        layers.add(convolution(weights.at("conv_out"), in, out));
    }

    private static UnaryOperator<Tensor> point(Weights weights, long channels) {
        return Conv2d.of(weights, channels, channels, Conv2d.Geometry.POINT)::forward;
    }

    private static UnaryOperator<Tensor> convolution(Weights weights, long in, long out) {
        return Conv2d.of(weights, in, out, Conv2d.Geometry.SAME_3)::forward;
    }
}
