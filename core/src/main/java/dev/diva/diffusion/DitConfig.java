package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import java.util.Map;
import java.util.Set;

/**
 * Shape of a DiT with adaptive norms.
 *
 * @param latentChannels channels of the input
 * @param outChannels channels of the output: those of the prediction, and as many of its variance where the model learned it
 * @param patchSize latents along a side of a token
 * @param sampleSize latents along a side of the images that the positions were made for
 * @param layers blocks
 * @param heads attention heads
 * @param headWidth width of a head
 * @param classes labels; one more row stands for none
 * @param normEps added to the variance before the MLP
 */
public record DitConfig(
        long latentChannels,
        long outChannels,
        long patchSize,
        long sampleSize,
        int layers,
        long heads,
        long headWidth,
        long classes,
        double normEps) {
    private static final Map<String, Set<String>> ONLY = Map.ofEntries(
            Map.entry("activation_fn", Set.of("gelu-approximate")),
            Map.entry("attention_bias", Set.of("true")),
            Map.entry("attention_type", Set.of("default")),
            Map.entry("caption_channels", Set.of()),
            Map.entry("cross_attention_dim", Set.of()),
            Map.entry("double_self_attention", Set.of("false")),
            Map.entry("interpolation_scale", Set.of("1", "1.0")),
            Map.entry("norm_elementwise_affine", Set.of("false")),
            Map.entry("norm_type", Set.of("ada_norm_zero")),
            Map.entry("num_vector_embeds", Set.of()),
            Map.entry("only_cross_attention", Set.of("false")),
            Map.entry("use_additional_conditions", Set.of("false")));

    /** Settings that are followed, and those that change no number here. */
    private static final Set<String> FOLLOWED = Set.of(
            "attention_head_dim",
            "dropout",
            "in_channels",
            "norm_eps",
            "norm_num_groups",
            "num_attention_heads",
            "num_embeds_ada_norm",
            "num_layers",
            "out_channels",
            "patch_size",
            "sample_size",
            "upcast_attention",
            "use_linear_projection");

    /** Width of a token. */
    public long width() {
        return heads * headWidth;
    }

    /**
     * Reads the config.json of a diffusers DiTTransformer2DModel, with the defaults of diffusers for what is left out.
     *
     * @throws BadInputException when it is another transformer
     */
    public static DitConfig read(ConfigJson json) {
        json.requireOnly(Map.of("_class_name", Set.of("DiTTransformer2DModel", "Transformer2DModel")));
        json.requireOnly(ONLY);
        long latentChannels = json.number("in_channels", 4);
        DitConfig config = new DitConfig(
                latentChannels,
                json.number("out_channels", latentChannels),
                json.number("patch_size", 2),
                json.number("sample_size", 32),
                Math.toIntExact(json.number("num_layers", 28)),
                json.number("num_attention_heads", 16),
                json.number("attention_head_dim", 72),
                json.number("num_embeds_ada_norm", 1000),
                json.positive("norm_eps", 1e-5));
        if (config.patchSize < 1 || config.sampleSize % config.patchSize != 0) {
            throw json.wrong("sample_size", "a multiple of patch_size " + config.patchSize);
        }
        if (config.width() % 4 != 0 || config.outChannels < latentChannels) {
            throw new BadInputException(
                    json.location() + ": width " + config.width() + " or out_channels is none of a DiT");
        }
        return config;
    }

    /** Whether a setting is followed, refused where it asks for something else, or changes no number. */
    static boolean knows(String key) {
        return FOLLOWED.contains(key) || ONLY.containsKey(key);
    }
}
