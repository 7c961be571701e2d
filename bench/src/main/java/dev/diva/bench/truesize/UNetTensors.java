package dev.diva.bench.truesize;

/** Names and shapes of diffusers' UNet2DConditionModel as SD 1.x and 2.x use it. */
final class UNetTensors {
    private static final long[] CHANNELS = {320, 640, 1280, 1280};
    private static final int RESNETS = 2;
    private static final long LATENT = 4;
    private static final long TIME = 4 * CHANNELS[0];

    private final long contextWidth;
    private final boolean hasLinearProjection;

    /** @param hasLinearProjection SD 2.x; SD 1.x has 1 x 1 convolutions around its transformers */
    UNetTensors(long contextWidth, boolean hasLinearProjection) {
        this.contextWidth = contextWidth;
        this.hasLinearProjection = hasLinearProjection;
    }

    TensorList all() {
        TensorList all = new TensorList();
        all.linear("time_embedding.linear_1", CHANNELS[0], TIME);
        all.linear("time_embedding.linear_2", TIME, TIME);
        all.conv("conv_in", LATENT, CHANNELS[0], 3);
        down(all);
        middle(all.at("mid_block"), CHANNELS[3]);
        up(all);
        all.norm("conv_norm_out", CHANNELS[0]);
        all.conv("conv_out", CHANNELS[0], LATENT, 3);
        return all;
    }

    private void down(TensorList all) {
        long in = CHANNELS[0];
        for (int level = 0; level < CHANNELS.length; level++) {
            TensorList block = all.at("down_blocks", level);
            boolean isLast = level == CHANNELS.length - 1;
            for (int i = 0; i < RESNETS; i++) {
                resnet(block.at("resnets", i), in, CHANNELS[level]);
                in = CHANNELS[level];
                if (!isLast) {
                    transformer(block.at("attentions", i), in);
                }
            }
            if (!isLast) {
                block.conv("downsamplers.0.conv", in, in, 3);
            }
        }
    }

    private void middle(TensorList block, long width) {
        resnet(block.at("resnets", 0), width, width);
        transformer(block.at("attentions", 0), width);
        resnet(block.at("resnets", 1), width, width);
    }

    private void up(TensorList all) {
        int levels = CHANNELS.length;
        long in = CHANNELS[levels - 1];
        for (int level = 0; level < levels; level++) {
            TensorList block = all.at("up_blocks", level);
            long out = CHANNELS[levels - 1 - level];
            long below = CHANNELS[Math.max(0, levels - 2 - level)];
            for (int i = 0; i <= RESNETS; i++) {
                resnet(block.at("resnets", i), in + (i < RESNETS ? out : below), out);
                in = out;
                if (level > 0) {
                    transformer(block.at("attentions", i), out);
                }
            }
            if (level < levels - 1) {
                block.conv("upsamplers.0.conv", out, out, 3);
            }
        }
    }

    private static void resnet(TensorList resnet, long in, long out) {
        resnet.norm("norm1", in);
        resnet.conv("conv1", in, out, 3);
        resnet.linear("time_emb_proj", TIME, out);
        resnet.norm("norm2", out);
        resnet.conv("conv2", out, out, 3);
        if (in != out) {
            resnet.conv("conv_shortcut", in, out, 1);
        }
    }

    private void transformer(TensorList transformer, long width) {
        transformer.norm("norm", width);
        projection(transformer, "proj_in", width);
        TensorList block = transformer.at("transformer_blocks", 0);
        block.norm("norm1", width);
        attention(block.at("attn1"), width, width);
        block.norm("norm2", width);
        attention(block.at("attn2"), width, contextWidth);
        block.norm("norm3", width);
        block.linear("ff.net.0.proj", width, 8 * width); // gate and value of GEGLU
        block.linear("ff.net.2", 4 * width, width);
        projection(transformer, "proj_out", width);
    }

    private void projection(TensorList transformer, String name, long width) {
        if (hasLinearProjection) {
            transformer.linear(name, width, width);
        } else {
            transformer.conv(name, width, width, 1);
        }
    }

    private static void attention(TensorList attention, long width, long source) {
        attention.matrix("to_q", width, width);
        attention.matrix("to_k", source, width);
        attention.matrix("to_v", source, width);
        attention.linear("to_out.0", width, width);
    }
}
