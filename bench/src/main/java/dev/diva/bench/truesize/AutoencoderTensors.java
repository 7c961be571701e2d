package dev.diva.bench.truesize;

/** Names and shapes of diffusers' AutoencoderKL as Stable Diffusion uses it. */
final class AutoencoderTensors {
    private static final long[] CHANNELS = {128, 256, 512, 512};
    private static final int RESNETS = 2;
    private static final long LATENT = 4;

    private AutoencoderTensors() {}

    static TensorList all() {
        TensorList all = new TensorList();
        encoder(all.at("encoder"));
        decoder(all.at("decoder"));
        all.conv("quant_conv", 2 * LATENT, 2 * LATENT, 1);
        all.conv("post_quant_conv", LATENT, LATENT, 1);
        return all;
    }

    private static void encoder(TensorList encoder) {
        encoder.conv("conv_in", 3, CHANNELS[0], 3);
        long in = CHANNELS[0];
        for (int level = 0; level < CHANNELS.length; level++) {
            TensorList block = encoder.at("down_blocks", level);
            for (int i = 0; i < RESNETS; i++) {
                resnet(block.at("resnets", i), in, CHANNELS[level]);
                in = CHANNELS[level];
            }
            if (level < CHANNELS.length - 1) {
                block.conv("downsamplers.0.conv", in, in, 3);
            }
        }
        middle(encoder.at("mid_block"), in);
        encoder.norm("conv_norm_out", in);
        encoder.conv("conv_out", in, 2 * LATENT, 3);
    }

    private static void decoder(TensorList decoder) {
        int levels = CHANNELS.length;
        long in = CHANNELS[levels - 1];
        decoder.conv("conv_in", LATENT, in, 3);
        middle(decoder.at("mid_block"), in);
        for (int level = 0; level < levels; level++) {
            TensorList block = decoder.at("up_blocks", level);
            long out = CHANNELS[levels - 1 - level];
            for (int i = 0; i <= RESNETS; i++) {
                resnet(block.at("resnets", i), in, out);
                in = out;
            }
            if (level < levels - 1) {
                block.conv("upsamplers.0.conv", in, in, 3);
            }
        }
        decoder.norm("conv_norm_out", in);
        decoder.conv("conv_out", in, 3, 3);
    }

    private static void middle(TensorList block, long width) {
        resnet(block.at("resnets", 0), width, width);
        TensorList attention = block.at("attentions", 0);
        attention.norm("group_norm", width);
        for (String name : new String[] {"to_q", "to_k", "to_v", "to_out.0"}) {
            attention.linear(name, width, width);
        }
        resnet(block.at("resnets", 1), width, width);
    }

    private static void resnet(TensorList resnet, long in, long out) {
        resnet.norm("norm1", in);
        resnet.conv("conv1", in, out, 3);
        resnet.norm("norm2", out);
        resnet.conv("conv2", out, out, 3);
        if (in != out) {
            resnet.conv("conv_shortcut", in, out, 1);
        }
    }
}
