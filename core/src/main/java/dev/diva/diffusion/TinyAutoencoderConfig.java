package dev.diva.diffusion;

import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Weights;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/**
 * Shape of diffusers' AutoencoderTiny (TAESD): convolutions and rectifiers alone, distilled from a large autoencoder, whose latents it
 * shares. It gives a latent and no distribution.
 *
 * @param latentChannels channels of a latent
 * @param encoderChannels channels of the features of the encoder, the same at every level
 * @param encoderBlocks residual blocks of each level, from the finest to the coarsest; each level but the last halves the size
 * @param decoderChannels channels of the features of the decoder
 * @param decoderBlocks residual blocks of each level, from the coarsest to the finest
 * @param scalingFactor a scaled latent is (latent - shift) * scalingFactor
 * @param shift as above
 */
public record TinyAutoencoderConfig(
        long latentChannels,
        long encoderChannels,
        List<Long> encoderBlocks,
        long decoderChannels,
        List<Long> decoderBlocks,
        double scalingFactor,
        double shift)
        implements AutoencoderShape {
    /** The name of the class in config files. */
    static final String CLASS = "AutoencoderTiny";

    private static final Map<String, Set<String>> ONLY = Map.of(
            "act_fn", Set.of("relu"),
            "in_channels", Set.of("3"),
            "out_channels", Set.of("3"),
            "upsample_fn", Set.of("nearest"),
            "upsampling_scaling_factor", Set.of("2"));
    /** Settings that are followed, and those that change no number here. */
    private static final Set<String> FOLLOWED = Set.of(
            "decoder_block_out_channels",
            "encoder_block_out_channels",
            "force_upcast",
            "latent_channels",
            "latent_magnitude",
            "latent_shift",
            "num_decoder_blocks",
            "num_encoder_blocks",
            "scaling_factor",
            "shift_factor");

    private static final long CHANNELS = 64;

    public TinyAutoencoderConfig {
        encoderBlocks = List.copyOf(encoderBlocks);
        decoderBlocks = List.copyOf(decoderBlocks);
    }

    static TinyAutoencoderConfig read(ConfigJson json) {
        json.requireOnly(ONLY);
        List<Long> encoder = blocks(json, "num_encoder_blocks", List.of(1L, 3L, 3L, 3L));
        List<Long> decoder = blocks(json, "num_decoder_blocks", List.of(3L, 3L, 3L, 1L));
        if (encoder.size() != decoder.size()) {
            throw json.wrong("num_decoder_blocks", "as many levels as num_encoder_blocks, " + encoder.size());
        }
        return new TinyAutoencoderConfig(
                json.number("latent_channels", 4),
                channels(json, "encoder_block_out_channels", encoder.size()),
                encoder,
                channels(json, "decoder_block_out_channels", decoder.size()),
                decoder,
                json.positive("scaling_factor", 1),
                json.fraction("shift_factor", 0));
    }

    /** Whether a setting is followed, refused where it asks for something else, or changes no number. */
    static boolean knows(String key) {
        return FOLLOWED.contains(key) || ONLY.containsKey(key);
    }

    private static List<Long> blocks(ConfigJson json, String key, List<Long> whenAbsent) {
        if (!json.has(key)) {
            return whenAbsent;
        }
        int levels = json.node().path(key).size();
        if (levels == 0) {
            throw json.wrong(key, "a list of whole numbers");
        }
        return Arrays.stream(json.numbers(key, 0, levels)).boxed().toList();
    }

    private static long channels(ConfigJson json, String key, int levels) {
        long[] channels = json.numbers(key, CHANNELS, levels);
        if (channels[0] < 1 || Arrays.stream(channels).distinct().count() > 1) {
            throw json.wrong(key, "the same number of channels at every level");
        }
        return channels[0];
    }

    @Override
    public int downscale() {
        return 1 << (encoderBlocks.size() - 1);
    }

    @Override
    public boolean hasVariance() {
        return false;
    }

    @Override
    public List<UnaryOperator<Tensor>> encoder(Weights weights) {
        return new TinyAutoencoderHalves(this).encoder(weights.at("encoder"));
    }

    @Override
    public List<UnaryOperator<Tensor>> decoder(Weights weights) {
        return new TinyAutoencoderHalves(this).decoder(weights.at("decoder"));
    }
}
