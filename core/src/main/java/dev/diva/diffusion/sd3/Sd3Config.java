package dev.diva.diffusion.sd3;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Shape of diffusers' SD3Transformer2DModel.
 *
 * @param latentChannels channels of a latent
 * @param patchSize latents along a side of a token
 * @param positions tokens along a side of the largest image
 * @param layers blocks
 * @param heads attention heads
 * @param headDim width of a head
 * @param contextDim width of a condition token
 * @param vectorDim width of the condition vector
 * @param twice blocks whose patches attend to each other alone as well: those of MMDiT-X
 * @param normsHeads whether queries and keys are normed
 */
public record Sd3Config(
        long latentChannels,
        long patchSize,
        long positions,
        int layers,
        long heads,
        long headDim,
        long contextDim,
        long vectorDim,
        Set<Integer> twice,
        boolean normsHeads) {
    /** Its name in diffusers. */
    public static final String CLASS = "SD3Transformer2DModel";

    private static final String TWICE = "dual_attention_layers";
    private static final Map<String, Set<String>> ONLY = Map.of("qk_norm", Set.of("rms_norm"));
    private static final Set<String> FOLLOWED = Set.of(
            "attention_head_dim",
            "caption_projection_dim",
            TWICE,
            "in_channels",
            "joint_attention_dim",
            "num_attention_heads",
            "num_layers",
            "out_channels",
            "patch_size",
            "pooled_projection_dim",
            "pos_embed_max_size",
            "sample_size");

    public Sd3Config {
        twice = Set.copyOf(twice);
    }

    /**
     * Reads its config.json, with the defaults of diffusers for what is left out.
     *
     * @throws BadInputException when it is another transformer
     */
    public static Sd3Config read(ConfigJson json) {
        json.requireOnly(ONLY);
        long channels = json.number("in_channels", 16);
        if (json.number("out_channels", 16) != channels) {
            throw json.wrong("out_channels", "as in_channels, " + channels);
        }
        int layers = Math.toIntExact(json.number("num_layers", 18));
        Sd3Config config = new Sd3Config(
                channels,
                json.number("patch_size", 2),
                json.number("pos_embed_max_size", 96),
                layers,
                json.number("num_attention_heads", 18),
                json.number("attention_head_dim", 64),
                json.number("joint_attention_dim", 4096),
                json.number("pooled_projection_dim", 2048),
                twice(json, layers),
                json.has("qk_norm"));
        if (config.width() < 1 || channels < 1 || config.patchSize < 1 || config.positions < 1 || layers < 1) {
            throw new BadInputException(json.location() + ": in_channels " + channels + ", patch_size "
                    + config.patchSize + ", pos_embed_max_size " + config.positions + ", num_layers " + layers
                    + ", width " + config.width() + ": expected all above 0");
        }
        if (json.number("caption_projection_dim", 1152) != config.width()) {
            throw json.wrong(
                    "caption_projection_dim", config.width() + ", num_attention_heads times attention_head_dim");
        }
        return config;
    }

    private static Set<Integer> twice(ConfigJson json, int layers) {
        JsonNode list = json.node().path(TWICE);
        Set<Integer> twice = new TreeSet<>();
        for (JsonNode layer : list) {
            twice.add(layer.isIntegralNumber() ? layer.asInt() : -1);
        }
        boolean isList = list.isArray() || !json.has(TWICE);
        if (!isList || twice.stream().anyMatch(layer -> layer < 0 || layer >= layers)) {
            throw json.wrong(TWICE, "a list of whole numbers from 0 to " + (layers - 1));
        }
        return twice;
    }

    /** Whether a setting is followed, refused where it asks for something else, or changes no number. */
    public static boolean knows(String key) {
        return FOLLOWED.contains(key) || ONLY.containsKey(key);
    }

    /** Height and width of the largest latents that have positions. */
    public long largestLatent() {
        return patchSize * positions;
    }

    /** Width of a token inside. */
    public long width() {
        return heads * headDim;
    }
}
