package dev.diva.diffusion.flux;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The shape of FLUX.1 as diffusers writes it. */
public final class FluxTransformerConfig {
    /** Its name in diffusers. */
    public static final String CLASS = "FluxTransformer2DModel";

    private static final double MLP_RATIO = 4;
    private static final double THETA = 10000;
    private static final String AXES = "axes_dims_rope";
    private static final Map<String, Set<String>> ONLY = Map.of("patch_size", Set.of("1"));

    private static final Set<String> FOLLOWED = Set.of(
            "attention_head_dim",
            AXES,
            "guidance_embeds",
            "in_channels",
            "joint_attention_dim",
            "num_attention_heads",
            "num_layers",
            "num_single_layers",
            "out_channels",
            "pooled_projection_dim");

    private FluxTransformerConfig() {}

    /**
     * Reads the config.json of a FluxTransformer2DModel, with the defaults of diffusers for what is left out.
     *
     * @throws BadInputException for one that is told more than a noisy latent (inpainting, depth), or is none
     */
    public static FluxConfig read(ConfigJson json) {
        json.requireOnly(ONLY);
        long inChannels = json.number("in_channels", 64);
        if (json.number("out_channels", inChannels) != inChannels) {
            throw json.wrong(
                    "out_channels", "as in_channels, " + inChannels + ": more than the noisy latent is not told here");
        }
        long heads = json.number("num_attention_heads", 24);
        long headDim = json.number("attention_head_dim", 128);
        List<Long> axes =
                json.has(AXES) ? Arrays.stream(json.numbers(AXES, 0, 3)).boxed().toList() : List.of(16L, 56L, 56L);
        if (axes.stream().mapToLong(Long::longValue).sum() != headDim) {
            throw json.wrong(AXES, "three even numbers that add up to attention_head_dim " + headDim);
        }
        try {
            return new FluxConfig(
                    inChannels,
                    json.number("pooled_projection_dim", 768),
                    json.number("joint_attention_dim", 4096),
                    heads * headDim,
                    MLP_RATIO,
                    heads,
                    Math.toIntExact(json.number("num_layers", 19)),
                    Math.toIntExact(json.number("num_single_layers", 38)),
                    axes,
                    THETA,
                    true,
                    json.flag("guidance_embeds", false));
        } catch (BadInputException e) {
            boolean isPlaced = e.getMessage().startsWith(json.location());
            throw isPlaced ? e : new BadInputException(json.location() + ": " + e.getMessage(), e);
        }
    }

    /** Whether a setting is followed, refused where it asks for something else, or changes no number. */
    public static boolean knows(String key) {
        return FOLLOWED.contains(key) || ONLY.containsKey(key);
    }
}
