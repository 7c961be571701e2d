package dev.diva.bench.step;

import dev.diva.clip.VisionConfig;
import dev.diva.diffusion.AutoencoderConfig;
import dev.diva.diffusion.UNetConfig;
import dev.diva.model.TransformerConfig;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** Operations of each model for one image, counted from its shape. */
final class StepWork {
    private static final long FEED_FORWARD = 4;

    private StepWork() {}

    /** A pass of the UNet, and the way back to its condition. */
    static Work unet(UNetConfig config, long side, long conditionTokens) {
        return new UNetWork(config, side, conditionTokens).work;
    }

    /** A pass of the vision tower; the way back is twice as much, for inputs and weights. */
    static Work tower(VisionConfig config) {
        TransformerConfig shape = config.transformer();
        long width = shape.hiddenSize();
        long tokens = config.numTokens();
        Work work = new Work();
        work.convolution(3, width, config.patchSize(), config.numPatches(), 1);
        for (int i = 0; i < shape.numHiddenLayers(); i++) {
            work.linear(width, 4 * width, tokens); // queries, keys, values, output
            work.attention(tokens, tokens, width, false);
            work.linear(width, 2 * shape.intermediateSize(), tokens);
        }
        work.linear(width, config.projectionDim(), tokens);
        return work;
    }

    /** The encoder of the autoencoder. */
    static Work encoder(AutoencoderConfig config, long pixels) {
        Work work = new Work();
        List<Long> channels = config.channels();
        long side = pixels;
        long in = channels.get(0);
        work.convolution(3, in, 3, side, side);
        for (int level = 0; level < channels.size(); level++) {
            for (int i = 0; i < config.layersPerLevel(); i++) {
                resnet(work, in, channels.get(level), side);
                in = channels.get(level);
            }
            if (level < channels.size() - 1) {
                side /= 2;
                work.convolution(in, in, 3, side, side);
            }
        }
        resnet(work, in, in, side);
        if (config.middleAttention()) {
            work.linear(in, 4 * in, side * side);
            work.attention(side * side, side * side, in, false);
        }
        resnet(work, in, in, side);
        work.convolution(in, 2 * config.latentChannels(), 3, side, side);
        return work;
    }

    private static void resnet(Work work, long in, long out, long side) {
        work.convolution(in, out, 3, side, side);
        work.convolution(out, out, 3, side, side);
        if (in != out) {
            work.convolution(in, out, 1, side, side);
        }
    }

    /** The UNet's levels in the order of its forward pass. */
    private static final class UNetWork {
        private final Work work = new Work();
        private final UNetConfig config;
        private final long conditionTokens;
        private final Deque<Long> skips = new ArrayDeque<>();
        private long side;
        private long in;

        UNetWork(UNetConfig config, long side, long conditionTokens) {
            this.config = config;
            this.conditionTokens = conditionTokens;
            this.side = side;
            List<UNetConfig.Level> levels = config.levels();
            int coarsest = levels.size() - 1;
            in = levels.get(0).channels();
            work.convolution(config.latentChannels(), in, 3, side, side);
            skips.push(in);
            for (int i = 0; i <= coarsest; i++) {
                down(levels.get(i), i == coarsest);
            }
            pair(in, levels.get(coarsest), config.midDepth());
            pair(in, levels.get(coarsest), 0);
            for (int i = coarsest; i >= 0; i--) {
                up(levels.get(i), i == 0);
            }
            work.convolution(in, config.latentChannels(), 3, this.side, this.side);
        }

        private void down(UNetConfig.Level level, boolean isCoarsest) {
            for (int i = 0; i < level.layers(); i++) {
                pair(in, level, level.downDepth());
                skips.push(in);
            }
            if (!isCoarsest) {
                side = (side + 1) / 2;
                work.convolution(in, in, 3, side, side);
                skips.push(in);
            }
        }

        private void up(UNetConfig.Level level, boolean isFinest) {
            for (int i = 0; i <= level.layers(); i++) {
                pair(in + skips.pop(), level, level.upDepth());
            }
            if (!isFinest) {
                side *= 2;
                work.convolution(in, in, 3, side, side);
            }
        }

        private void pair(long channels, UNetConfig.Level level, int depth) {
            long width = level.channels();
            long tokens = side * side;
            resnet(work, channels, width, side);
            in = width;
            if (depth == 0) {
                return;
            }
            work.linear(width, 2 * width, tokens); // in and out
            for (int i = 0; i < depth; i++) {
                work.linear(width, 4 * width, tokens);
                work.attention(tokens, tokens, width, false);
                work.linear(width, 2 * width, tokens); // queries and output
                work.attention(tokens, conditionTokens, width, true);
                work.enterGraph();
                work.linear(config.crossAttentionDim(), 2 * width, conditionTokens);
                work.linear(width, 3 * FEED_FORWARD * width, tokens); // gated: two in, one out
            }
        }
    }
}
