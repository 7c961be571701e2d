package dev.diva.diffusion;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Weights;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/**
 * Shape of diffusers' AutoencoderDC (DC-AE, arXiv 2410.10733), which makes the latents of Sana. It gives a latent and no distribution.
 *
 * @param latentChannels channels of a latent
 * @param headDim width of an attention head
 * @param encoder levels from the finest to the coarsest; each but the last halves the size
 * @param decoder levels in the same order
 * @param unshuffles whether sizes are halved by turning pixels into channels; otherwise by a stride
 * @param interpolates whether sizes are doubled by repeating pixels; otherwise by turning channels into pixels
 * @param scalingFactor a scaled latent is latent * scalingFactor
 */
public record DeepAutoencoderConfig(
        long latentChannels,
        long headDim,
        List<Level> encoder,
        List<Level> decoder,
        boolean unshuffles,
        boolean interpolates,
        double scalingFactor)
        implements AutoencoderShape {
    /** The name of the class in config files. */
    static final String CLASS = "AutoencoderDC";

    private static final String RESIDUAL = "ResBlock";
    private static final String ATTENDING = "EfficientViTBlock";
    private static final String UNSHUFFLE = "pixel_unshuffle";
    private static final String SHUFFLE = "pixel_shuffle";
    private static final int PIXELS = 4; // become the channels of one

    /** What diffusers takes where a file leaves it out. */
    private static final long[] CHANNELS = {128, 256, 512, 512, 1024, 1024};

    private static final List<List<Long>> KERNELS =
            List.of(List.of(), List.of(), List.of(), List.of(5L), List.of(5L), List.of(5L));

    private static final Map<String, Set<String>> ONLY = Map.of(
            "in_channels", Set.of("3"),
            "decoder_act_fns", Set.of("silu"),
            "decoder_conv_act_fn", Set.of("relu"),
            "decoder_in_shortcut", Set.of("true"),
            "decoder_norm_types", Set.of("rms_norm"),
            "downsample_block_type", Set.of(UNSHUFFLE, "conv", "Conv"),
            "encoder_out_shortcut", Set.of("true"),
            "upsample_block_type", Set.of(SHUFFLE, "interpolate"));

    /** Settings that are followed. */
    private static final Set<String> FOLLOWED = Set.of(
            "attention_head_dim",
            "decoder_block_out_channels",
            "decoder_block_types",
            "decoder_layers_per_block",
            "decoder_qkv_multiscales",
            "encoder_block_out_channels",
            "encoder_block_types",
            "encoder_layers_per_block",
            "encoder_qkv_multiscales",
            "latent_channels",
            "scaling_factor");

    /**
     * One size of the features.
     *
     * @param channels of the features
     * @param blocks how many
     * @param attends whether their pixels attend to each other
     * @param kernels of the further scales that they attend at, odd
     */
    record Level(long channels, long blocks, boolean attends, List<Long> kernels) {
        Level {
            kernels = List.copyOf(kernels);
        }
    }

    public DeepAutoencoderConfig {
        encoder = List.copyOf(encoder);
        decoder = List.copyOf(decoder);
    }

    static DeepAutoencoderConfig read(ConfigJson json) {
        json.requireOnly(ONLY);
        DeepAutoencoderConfig config = new DeepAutoencoderConfig(
                json.number("latent_channels", 32),
                json.number("attention_head_dim", 32),
                levels(json, "encoder", new long[] {2, 2, 2, 3, 3, 3}),
                levels(json, "decoder", new long[] {3, 3, 3, 3, 3, 3}),
                json.text("downsample_block_type", UNSHUFFLE).equals(UNSHUFFLE),
                !json.text("upsample_block_type", SHUFFLE).equals(SHUFFLE),
                json.positive("scaling_factor", 1));
        if (config.encoder.size() != config.decoder.size()) {
            throw json.wrong(
                    "decoder_block_out_channels",
                    "as many levels as encoder_block_out_channels, " + config.encoder.size());
        }
        config.requireParts(json, "encoder", config.encoder);
        config.requireParts(json, "decoder", config.decoder);
        return config;
    }

    private static List<Level> levels(ConfigJson json, String half, long... blocks) {
        String key = half + "_block_out_channels";
        int count = json.has(key) ? json.node().path(key).size() : CHANNELS.length;
        if (count == 0) {
            throw json.wrong(key, "a list of whole numbers");
        }
        long[] channels = json.has(key) ? json.numbers(key, 0, count) : CHANNELS;
        String layers = half + "_layers_per_block";
        long[] each = json.has(layers) ? json.numbers(layers, 0, count) : blocks;
        List<String> types = types(json, half + "_block_types", count);
        List<List<Long>> kernels = kernels(json, half + "_qkv_multiscales", count);
        if (each.length != count) {
            throw json.wrong(layers, "as many levels as " + key + ", " + count);
        }
        List<Level> levels = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            levels.add(new Level(channels[i], each[i], types.get(i).equals(ATTENDING), kernels.get(i)));
        }
        return levels;
    }

    private static List<String> types(ConfigJson json, String key, int count) {
        json.requireOnly(Map.of(key, Set.of(RESIDUAL, ATTENDING)));
        JsonNode value = json.node().path(key);
        if (!value.isArray()) {
            return Collections.nCopies(count, json.text(key, RESIDUAL));
        }
        List<String> types = json.texts(key, List.of());
        if (types.size() != count) {
            throw json.wrong(key, count + " types of blocks");
        }
        return types;
    }

    private static List<List<Long>> kernels(ConfigJson json, String key, int count) {
        List<List<Long>> all = json.has(key) ? new ArrayList<>() : KERNELS;
        boolean isSound = json.node().path(key).isArray() || !json.has(key);
        for (JsonNode level : json.node().path(key)) {
            List<Long> kernels = new ArrayList<>();
            level.forEach(kernel -> kernels.add(kernel.isIntegralNumber() ? kernel.asLong() : 0));
            isSound &= level.isArray() && kernels.stream().allMatch(kernel -> kernel > 0 && kernel % 2 == 1);
            all.add(kernels);
        }
        if (!isSound || all.size() != count) {
            throw json.wrong(key, count + " lists of odd kernel sizes");
        }
        return all;
    }

    /** What convolutions, averages and repetitions between the levels divide by. */
    private void requireParts(ConfigJson json, String half, List<Level> levels) {
        String key = half + "_block_out_channels";
        boolean isSound = !levels.isEmpty() && latentChannels > 0 && headDim > 0;
        for (int i = 0; isSound && i < levels.size(); i++) {
            Level level = levels.get(i);
            long next = i + 1 < levels.size() ? levels.get(i + 1).channels : latentChannels;
            long given = i + 1 < levels.size() ? PIXELS * level.channels : level.channels;
            isSound = level.channels > 0 && level.blocks > 0 && next > 0 && given % next == 0;
            isSound &= !level.attends || level.channels % headDim == 0;
            isSound &= i == 0 || !unshuffles || level.channels % PIXELS == 0;
        }
        if (!isSound) {
            throw new BadInputException(json.location() + ": " + key + " is "
                    + json.node().path(key)
                    + ": expected levels with blocks, each four times the channels of which are a multiple of the next one's,"
                    + " the last a multiple of latent_channels " + latentChannels
                    + ", those that attend of attention_head_dim " + headDim);
        }
    }

    /** Whether a setting is followed, refused where it asks for something else, or changes no number. */
    static boolean knows(String key) {
        return FOLLOWED.contains(key) || ONLY.containsKey(key);
    }

    @Override
    public double shift() {
        return 0;
    }

    @Override
    public int downscale() {
        return 1 << (encoder.size() - 1);
    }

    @Override
    public boolean hasVariance() {
        return false;
    }

    @Override
    public List<UnaryOperator<Tensor>> encoder(Weights weights) {
        return new DeepAutoencoderHalves(this).encoder(weights.at("encoder"));
    }

    @Override
    public List<UnaryOperator<Tensor>> decoder(Weights weights) {
        return new DeepAutoencoderHalves(this).decoder(weights.at("decoder"));
    }
}
