package dev.diva.diffusion;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.layer.Downsample;
import dev.diva.diffusion.layer.ResnetBlock;
import dev.diva.diffusion.layer.SpatialTransformer;
import dev.diva.diffusion.layer.Upsample;
import dev.diva.engine.Activations;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The three kinds of level of a UNet: on the way down, in the middle, on the way up. */
final class UNetLevels {
    /** Pixels of a level whose activations are so few beside its weights that computing them again costs more than it saves. */
    private static final long COARSE = 64;

    private final UNetConfig config;
    private final ResnetBlock.Shape shape;

    UNetLevels(UNetConfig config) {
        this.config = config;
        this.shape = new ResnetBlock.Shape(config.time().width(), config.normGroups(), config.normEps());
    }

    /** What a level is given beside the image. */
    record Inputs(Tensor activatedTime, Tensor condition) {}

    /** A residual block and the transformer after it, if any. */
    private record Pair(ResnetBlock resnet, SpatialTransformer transformer, Activations activations) {
        /** @param x [batch, channels, h, w], put beside each other along the channels where there are several */
        Tensor forward(Inputs inputs, Tensor... x) {
            Tensor[] all = Arrays.copyOf(x, x.length + (transformer == null ? 1 : 2));
            all[x.length] = inputs.activatedTime;
            if (transformer != null) {
                all[x.length + 1] = inputs.condition;
            }
            boolean isCoarse = x[0].size(2) * x[0].size(3) <= COARSE;
            return (isCoarse ? Activations.KEPT : activations)
                    .throughRows(
                            in -> {
                                Tensor together = x.length == 1
                                        ? in[0]
                                        : torch.cat(new TensorVector(Arrays.copyOf(in, x.length)), 1);
                                Tensor h = resnet.forward(together, in[x.length]);
                                return transformer == null ? h : transformer.forward(h, in[x.length + 1]);
                            },
                            all);
        }
    }

    private Pair pair(Weights weights, int index, long in, UNetConfig.Level level, int depth) {
        return new Pair(
                new ResnetBlock(weights.at("resnets", index), in, level.channels(), shape),
                depth == 0 ? null : transformer(weights.at("attentions", index), level, depth),
                weights.placement().activations());
    }

    private SpatialTransformer transformer(Weights weights, UNetConfig.Level level, int depth) {
        return new SpatialTransformer(
                weights,
                new SpatialTransformer.Shape(
                        level.channels(),
                        level.heads(),
                        depth,
                        config.crossAttentionDim(),
                        config.normGroups(),
                        config.linearProjection()));
    }

    /** Residual blocks, each output kept for the way up, then half the size. */
    static final class Down {
        private final List<Pair> pairs = new ArrayList<>();
        private final Downsample downsample; // null at the coarsest level

        private Down(Downsample downsample) {
            this.downsample = downsample;
        }

        /** Pushes every output on skips and returns the last. */
        Tensor forward(Tensor x, Inputs inputs, Deque<Tensor> skips) {
            Tensor h = x;
            for (Pair pair : pairs) {
                h = pair.forward(inputs, h);
                skips.push(h);
            }
            if (downsample != null) {
                h = downsample.forward(h);
                skips.push(h);
            }
            return h;
        }
    }

    /** @param skips channels of the outputs so far; gets those of this level */
    Down down(Weights weights, UNetConfig.Level level, boolean coarsest, Deque<Long> skips) {
        long channels = level.channels();
        Down down = new Down(coarsest ? null : Downsample.padded(weights.at("downsamplers", 0), channels));
        for (int i = 0; i < level.layers(); i++) {
            down.pairs.add(pair(weights, i, skips.element(), level, level.downDepth()));
            skips.push(channels);
        }
        if (!coarsest) {
            skips.push(channels);
        }
        return down;
    }

    /** Residual block, transformer, residual block at the coarsest size. */
    static final class Middle {
        private final Pair first;
        private final Pair second;

        private Middle(Pair first, Pair second) {
            this.first = first;
            this.second = second;
        }

        Tensor forward(Tensor x, Inputs inputs) {
            return second.forward(inputs, first.forward(inputs, x));
        }
    }

    Middle middle(Weights weights, UNetConfig.Level level) {
        return new Middle(
                pair(weights, 0, level.channels(), level, config.midDepth()),
                pair(weights, 1, level.channels(), level, 0));
    }

    /** Residual blocks, each with an output of the way down beside its input, then twice the size. */
    static final class Up {
        private final List<Pair> pairs = new ArrayList<>();
        private final Upsample upsample; // null at the finest level

        private Up(Upsample upsample) {
            this.upsample = upsample;
        }

        Tensor forward(Tensor x, Inputs inputs, Deque<Tensor> skips) {
            Tensor h = x;
            for (Pair pair : pairs) {
                h = pair.forward(inputs, h, skips.pop());
            }
            if (upsample == null) {
                return h;
            }
            Tensor next = skips.element();
            return upsample.forward(h, next.size(2), next.size(3));
        }
    }

    /**
     * Builds a level on the way up.
     *
     * @param in channels of what comes from below
     * @param skips channels of the outputs that are left; those of this level are taken
     */
    Up up(Weights weights, UNetConfig.Level level, long in, boolean finest, Deque<Long> skips) {
        Up up = new Up(finest ? null : new Upsample(weights.at("upsamplers", 0), level.channels()));
        long channels = in;
        for (int i = 0; i <= level.layers(); i++) {
            up.pairs.add(pair(weights, i, channels + skips.pop(), level, level.upDepth()));
            channels = level.channels();
        }
        return up;
    }

    /** An empty stack that starts with the channels of the first convolution. */
    static Deque<Long> skipsAfter(long firstChannels) {
        Deque<Long> skips = new ArrayDeque<>();
        skips.push(firstChannels);
        return skips;
    }
}
