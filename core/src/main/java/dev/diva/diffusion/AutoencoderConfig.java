package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Weights;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/**
 * Shape of diffusers' AutoencoderKL, and the scale of its latents.
 *
 * @param latentChannels channels of a latent
 * @param channels of the features, from the finest to the coarsest level; each level but the last halves the size
 * @param layersPerLevel residual blocks of a level of the encoder; the decoder has one more
 * @param normGroups groups of each group norm
 * @param middleAttention whether pixels attend to each other in the middle
 * @param quantConvolutions whether 1 x 1 convolutions stand between the latent and both halves
 * @param scalingFactor a scaled latent is (latent - shift) * scalingFactor
 * @param shift as above
 */
public record AutoencoderConfig(
        long latentChannels,
        List<Long> channels,
        int layersPerLevel,
        long normGroups,
        boolean middleAttention,
        boolean quantConvolutions,
        double scalingFactor,
        double shift)
        implements AutoencoderShape {
    private static final Map<String, Set<String>> ONLY = Map.of(
            "act_fn", Set.of("silu", "swish"),
            "in_channels", Set.of("3"),
            "out_channels", Set.of("3"),
            "latents_mean", Set.of(),
            "latents_std", Set.of());

    /** Settings that are followed, and those that change no number here. */
    private static final Set<String> FOLLOWED = Set.of(
            "block_out_channels",
            "down_block_types",
            "force_upcast",
            "latent_channels",
            "layers_per_block",
            "mid_block_add_attention",
            "norm_num_groups",
            "sample_size",
            "scaling_factor",
            "shift_factor",
            "up_block_types",
            "use_post_quant_conv",
            "use_quant_conv");

    public AutoencoderConfig {
        channels = List.copyOf(channels);
        for (long count : channels) {
            if (count < 1 || count % normGroups != 0) {
                throw new IllegalArgumentException(count + " channels do not split into " + normGroups + " groups");
            }
        }
    }

    @Override
    public int downscale() {
        return 1 << (channels.size() - 1);
    }

    @Override
    public boolean hasVariance() {
        return true;
    }

    @Override
    public List<UnaryOperator<Tensor>> encoder(Weights weights) {
        return new AutoencoderHalves(this).encoder(weights);
    }

    @Override
    public List<UnaryOperator<Tensor>> decoder(Weights weights) {
        return new AutoencoderHalves(this).decoder(weights);
    }

    /**
     * Reads the config.json of a diffusers AutoencoderKL, with the defaults of diffusers for what is left out.
     *
     * @throws BadInputException when it has a part that is not computed here
     */
    public static AutoencoderConfig read(ConfigJson json) {
        json.requireOnly(ONLY);
        requireBlocks(json, "down_block_types", "DownEncoderBlock2D");
        requireBlocks(json, "up_block_types", "UpDecoderBlock2D");
        boolean quant = json.flag("use_quant_conv", true);
        if (json.flag("use_post_quant_conv", true) != quant) {
            throw json.wrong("use_post_quant_conv", "as use_quant_conv, " + quant);
        }
        int levels =
                json.texts("down_block_types", List.of("DownEncoderBlock2D")).size();
        try {
            return new AutoencoderConfig(
                    json.number("latent_channels", 4),
                    Arrays.stream(json.numbers("block_out_channels", 64, levels))
                            .boxed()
                            .toList(),
                    Math.toIntExact(json.number("layers_per_block", 1)),
                    json.number("norm_num_groups", 32),
                    json.flag("mid_block_add_attention", true),
                    quant,
                    json.positive("scaling_factor", 0.18215),
                    json.fraction("shift_factor", 0));
        } catch (IllegalArgumentException e) {
            throw new BadInputException(json.location() + ": " + e.getMessage(), e);
        }
    }

    /** Whether a setting is followed, refused where it asks for something else, or changes no number. */
    static boolean knows(String key) {
        return FOLLOWED.contains(key) || ONLY.containsKey(key);
    }

    private static void requireBlocks(ConfigJson json, String key, String only) {
        if (!json.texts(key, List.of(only)).stream().allMatch(only::equals)) {
            throw json.wrong(key, "all " + only);
        }
    }
}
