package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Shape of a UNet.
 *
 * @param latentChannels channels of the input and of the output
 * @param levels from the finest to the coarsest
 * @param midDepth transformer blocks in the middle
 * @param crossAttentionDim width of a token of the condition
 * @param normGroups groups of each group norm
 * @param normEps added to the variance in the residual blocks
 * @param linearProjection linear layers around the transformers (SD 2.x, SDXL) or 1 x 1 convolutions (SD 1.x)
 * @param time the embedding of the timestep
 */
public record UNetConfig(
        long latentChannels,
        List<Level> levels,
        int midDepth,
        long crossAttentionDim,
        long normGroups,
        double normEps,
        boolean linearProjection,
        TimeConfig time) {
    private static final String CROSS_DOWN = "CrossAttnDownBlock2D";
    private static final String CROSS_UP = "CrossAttnUpBlock2D";
    private static final List<String> DEFAULT_DOWN = List.of(CROSS_DOWN, CROSS_DOWN, CROSS_DOWN, "DownBlock2D");
    private static final List<String> DEFAULT_UP = List.of("UpBlock2D", CROSS_UP, CROSS_UP, CROSS_UP);

    /** Settings of diffusers that change the computation, with the one value that is computed here. */
    private static final Map<String, Set<String>> ONLY = Map.ofEntries(
            Map.entry("act_fn", Set.of("silu", "swish")),
            Map.entry("addition_embed_type", Set.of("text_time")),
            Map.entry("attention_type", Set.of("default")),
            Map.entry("center_input_sample", Set.of("false")),
            Map.entry("class_embed_type", Set.of("projection")),
            Map.entry("class_embeddings_concat", Set.of("false")),
            Map.entry("conv_in_kernel", Set.of("3")),
            Map.entry("conv_out_kernel", Set.of("3")),
            Map.entry("cross_attention_norm", Set.of()),
            Map.entry("downsample_padding", Set.of("1")),
            Map.entry("dual_cross_attention", Set.of("false")),
            Map.entry("encoder_hid_dim_type", Set.of()),
            Map.entry("encoder_hid_dim", Set.of()),
            Map.entry("mid_block_only_cross_attention", Set.of("false")),
            Map.entry("mid_block_scale_factor", Set.of("1", "1.0")),
            Map.entry("mid_block_type", Set.of("UNetMidBlock2DCrossAttn")),
            Map.entry("num_class_embeds", Set.of()),
            Map.entry("only_cross_attention", Set.of("false")),
            Map.entry("resnet_out_scale_factor", Set.of("1", "1.0")),
            Map.entry("resnet_skip_time_act", Set.of("false")),
            Map.entry("resnet_time_scale_shift", Set.of("default")),
            Map.entry("time_cond_proj_dim", Set.of()),
            Map.entry("time_embedding_act_fn", Set.of()),
            Map.entry("time_embedding_type", Set.of("positional")),
            Map.entry("timestep_post_act", Set.of()));

    /** Settings that are followed, and those that change no number here: types of computation, training, a default size. */
    private static final Set<String> FOLLOWED = Set.of(
            "addition_embed_type_num_heads",
            "addition_time_embed_dim",
            "attention_head_dim",
            "block_out_channels",
            "cross_attention_dim",
            "down_block_types",
            "dropout",
            "flip_sin_to_cos",
            "freq_shift",
            "in_channels",
            "layers_per_block",
            "norm_eps",
            "norm_num_groups",
            "num_attention_heads",
            "out_channels",
            "projection_class_embeddings_input_dim",
            "reverse_transformer_layers_per_block",
            "sample_size",
            "time_embedding_dim",
            "transformer_layers_per_block",
            "up_block_types",
            "upcast_attention",
            "use_linear_projection");

    /**
     * One resolution.
     *
     * @param channels of its features
     * @param heads attention heads of its transformers
     * @param layers residual blocks on the way down; on the way up there is one more
     * @param downDepth transformer blocks after each residual block on the way down; 0 for none
     * @param upDepth the same on the way up
     */
    public record Level(long channels, long heads, int layers, int downDepth, int upDepth) {}

    /**
     * The embedding of the timestep and of what SDXL and Stable unCLIP add to it.
     *
     * @param frequencies width of the sinusoidal embedding
     * @param width after the MLP
     * @param cosineFirst diffusers' {@code flip_sin_to_cos}
     * @param frequencyShift diffusers' {@code freq_shift}
     * @param added SDXL's pooled text and sizes, or null
     * @param classDim width of the class embeddings of Stable unCLIP ({@code class_embed_type: projection}), or 0
     */
    public record TimeConfig(
            long frequencies,
            long width,
            boolean cosineFirst,
            double frequencyShift,
            AddedCondition added,
            long classDim) {}

    /**
     * SDXL's condition beside the tokens ({@code text_time}): a pooled text embedding, and the six numbers original height and width, crop
     * top and left, target height and width.
     *
     * @param pooledDim width of the pooled text embedding
     * @param numberDim width of the sinusoidal embedding of each number
     */
    public record AddedCondition(long pooledDim, long numberDim) {
        /** Numbers beside the pooled text. */
        public static final int NUMBERS = 6;
    }

    public UNetConfig {
        levels = List.copyOf(levels);
        for (Level level : levels) {
            if (level.heads < 1 || level.channels % level.heads != 0 || level.channels % normGroups != 0) {
                throw new IllegalArgumentException(
                        level + " does not split into its heads and " + normGroups + " groups");
            }
        }
    }

    /**
     * Reads the config.json of a diffusers UNet2DConditionModel, with the defaults of diffusers for what is left out.
     *
     * @throws BadInputException when it has a part that is not computed here, or sizes that contradict each other
     */
    public static UNetConfig read(ConfigJson json) {
        json.requireOnly(Map.of("_class_name", Set.of("UNet2DConditionModel")));
        json.requireOnly(ONLY);
        if (json.node().has("mid_block_type")
                && !json.has("mid_block_type")) { // for diffusers no middle, and not the default
            throw json.wrong("mid_block_type", "UNetMidBlock2DCrossAttn");
        }
        List<Level> levels = levels(json);
        long latentChannels = json.number("in_channels", 4);
        if (json.number("out_channels", 4) != latentChannels) {
            throw json.wrong("out_channels", "in_channels " + latentChannels + ", as in a text-to-image model");
        }
        long[] depths = json.numbers("transformer_layers_per_block", 1, levels.size());
        try {
            return new UNetConfig(
                    latentChannels,
                    levels,
                    Math.toIntExact(depths[levels.size() - 1]),
                    json.number("cross_attention_dim", 1280),
                    json.number("norm_num_groups", 32),
                    json.positive("norm_eps", 1e-5),
                    json.flag("use_linear_projection", false),
                    time(json, levels.get(0).channels));
        } catch (IllegalArgumentException e) {
            throw new BadInputException(json.location() + ": " + e.getMessage(), e);
        }
    }

    /** Whether a setting is followed, refused where it asks for something else, or changes no number. */
    static boolean knows(String key) {
        return FOLLOWED.contains(key) || ONLY.containsKey(key);
    }

    private static List<Level> levels(ConfigJson json) {
        List<String> down = json.texts("down_block_types", DEFAULT_DOWN);
        List<String> up = json.texts("up_block_types", DEFAULT_UP);
        int count = down.size();
        if (up.size() != count || count == 0) {
            throw json.wrong("up_block_types", "as many as down_block_types, " + count);
        }
        long[] channels = json.has("block_out_channels")
                ? json.numbers("block_out_channels", 0, count)
                : new long[] {320, 640, 1280, 1280};
        // diffusers' attention_head_dim is the number of heads unless num_attention_heads says it under its own name.
        long[] heads =
                json.numbers(json.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim", 8, count);
        long[] layers = json.numbers("layers_per_block", 2, count);
        long[] depths = json.numbers("transformer_layers_per_block", 1, count);
        long[] upDepths = json.has("reverse_transformer_layers_per_block")
                ? reversed(json.numbers("reverse_transformer_layers_per_block", 1, count))
                : depths;
        List<Level> levels = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int downDepth = hasAttention(json, "down_block_types", down.get(i), CROSS_DOWN, "DownBlock2D")
                    ? Math.toIntExact(depths[i])
                    : 0;
            int upDepth = hasAttention(json, "up_block_types", up.get(count - 1 - i), CROSS_UP, "UpBlock2D")
                    ? Math.toIntExact(upDepths[i])
                    : 0;
            levels.add(new Level(channels[i], heads[i], Math.toIntExact(layers[i]), downDepth, upDepth));
        }
        return levels;
    }

    private static boolean hasAttention(ConfigJson json, String key, String type, String with, String without) {
        if (!type.equals(with) && !type.equals(without)) {
            throw json.wrong(key, "of " + with + " and " + without + " only");
        }
        return type.equals(with);
    }

    private static long[] reversed(long[] values) {
        long[] reversed = new long[values.length];
        for (int i = 0; i < values.length; i++) {
            reversed[i] = values[values.length - 1 - i];
        }
        return reversed;
    }

    private static TimeConfig time(ConfigJson json, long firstChannels) {
        AddedCondition added = null;
        if (json.has("addition_embed_type")) {
            long numberDim = json.number("addition_time_embed_dim", 0);
            long whole = json.number("projection_class_embeddings_input_dim", 0);
            long pooledDim = whole - AddedCondition.NUMBERS * numberDim;
            if (numberDim < 1 || pooledDim < 1) {
                throw json.wrong(
                        "projection_class_embeddings_input_dim",
                        "more than 6 times addition_time_embed_dim " + numberDim);
            }
            added = new AddedCondition(pooledDim, numberDim);
        }
        return new TimeConfig(
                firstChannels,
                json.number("time_embedding_dim", 4 * firstChannels),
                json.flag("flip_sin_to_cos", true),
                json.fraction("freq_shift", 0),
                added,
                classDim(json, added));
    }

    private static long classDim(ConfigJson json, AddedCondition added) {
        if (!json.has("class_embed_type")) {
            return 0;
        }
        if (added != null) {
            throw json.wrong("class_embed_type", "null beside addition_embed_type");
        }
        long width = json.number("projection_class_embeddings_input_dim", 0);
        if (width < 1) {
            throw json.wrong("projection_class_embeddings_input_dim", "the width of the class embeddings");
        }
        return width;
    }
}
