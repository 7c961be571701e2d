package dev.diva.diffusion.sana;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import java.util.Map;
import java.util.Set;

/**
 * Shape of diffusers' SanaTransformer2DModel.
 *
 * @param latentChannels channels of a latent
 * @param patchSize latents along a side of a token
 * @param layers blocks
 * @param heads of the attention of patches to each other
 * @param headDim width of such a head
 * @param crossHeads heads of the attention to the condition
 * @param contextDim width of a condition token
 * @param mlpRatio width inside a gated convolution in relation to the width
 * @param inputBias whether queries, keys and values of the former attention have a bias
 * @param norms whether queries and keys are normed: Sana 1.5
 * @param normEps of the norms in the blocks
 */
public record SanaConfig(
        long latentChannels,
        long patchSize,
        int layers,
        long heads,
        long headDim,
        long crossHeads,
        long contextDim,
        double mlpRatio,
        boolean inputBias,
        boolean norms,
        double normEps) {
    /** Its name in diffusers. */
    public static final String CLASS = "SanaTransformer2DModel";

    private static final String GUIDED = "guidance_embeds";
    private static final Map<String, Set<String>> ONLY = Map.of(
            GUIDED,
            Set.of("false"),
            "interpolation_scale",
            Set.of(),
            "norm_elementwise_affine",
            Set.of("false"),
            "qk_norm",
            Set.of("rms_norm_across_heads"),
            "timestep_scale",
            Set.of("1", "1.0"));
    private static final Set<String> FOLLOWED = Set.of(
            "attention_bias",
            "attention_head_dim",
            "caption_channels",
            "cross_attention_dim",
            "cross_attention_head_dim",
            "dropout",
            "guidance_embeds_scale",
            "in_channels",
            "mlp_ratio",
            "norm_eps",
            "num_attention_heads",
            "num_cross_attention_heads",
            "num_layers",
            "out_channels",
            "patch_size",
            "sample_size");

    /**
     * Refuses Sana Sprint, which has the same class.
     *
     * @throws BadInputException naming it
     */
    public static void refuseSprint(ConfigJson json) {
        if (json.flag(GUIDED, false)) {
            throw new BadInputException(json.location() + ": " + GUIDED + " is true, as in Sana Sprint, which is"
                    + " distilled to few steps and told of a guidance: not computed here; take Sana 1.0 or 1.5");
        }
    }

    /**
     * Reads its config.json, with the defaults of diffusers for what is left out.
     *
     * @throws BadInputException when it is another transformer, Sana Sprint and Sana of 2K and 4K pixels included
     */
    public static SanaConfig read(ConfigJson json) {
        refuseSprint(json);
        json.requireOnly(ONLY);
        long channels = json.number("in_channels", 32);
        if (json.number("out_channels", 32) != channels) {
            throw json.wrong("out_channels", "as in_channels, " + channels);
        }
        SanaConfig config = new SanaConfig(
                channels,
                json.number("patch_size", 1),
                Math.toIntExact(json.number("num_layers", 20)),
                json.number("num_attention_heads", 70),
                json.number("attention_head_dim", 32),
                json.number("num_cross_attention_heads", 20),
                json.number("caption_channels", 2304),
                json.positive("mlp_ratio", 2.5),
                json.flag("attention_bias", false),
                json.has("qk_norm"),
                json.positive("norm_eps", 1e-6));
        if (config.width() < 1 || channels < 1 || config.patchSize < 1 || config.layers < 1) {
            throw new BadInputException(json.location() + ": in_channels " + channels + ", patch_size "
                    + config.patchSize + ", num_layers " + config.layers + ", width " + config.width()
                    + ": expected all above 0");
        }
        requireWidth(json, config);
        return config;
    }

    private static void requireWidth(ConfigJson json, SanaConfig config) {
        long width = config.width();
        String why = width + ", num_attention_heads times attention_head_dim";
        if (json.number("cross_attention_dim", 2240) != width) {
            throw json.wrong("cross_attention_dim", why);
        }
        if (config.crossHeads * json.number("cross_attention_head_dim", 112) != width) {
            throw json.wrong("cross_attention_head_dim", "with " + config.crossHeads + " heads together " + why);
        }
    }

    /** Whether a setting is followed, refused where it asks for something else, or changes no number. */
    public static boolean knows(String key) {
        return FOLLOWED.contains(key) || ONLY.containsKey(key);
    }

    /** Width of a token inside. */
    public long width() {
        return heads * headDim;
    }

    /** Channels of a half inside a gated convolution. */
    long inner() {
        return (long) (mlpRatio * width());
    }
}
