package dev.diva.diffusion.t5;

import dev.diva.checkpoint.ConfigJson;
import dev.diva.model.HuggingFaceKeys;
import java.util.List;
import java.util.Set;

/**
 * Shape of an encoder of T5 1.1.
 *
 * @param vocabSize rows of the embedding
 * @param width of a token
 * @param headDim width of a head
 * @param innerWidth inside an MLP
 * @param layers blocks
 * @param heads of an attention
 * @param buckets of distances between tokens that an attention tells apart, both directions together
 * @param maxDistance from which on all are one
 * @param normEps added to the mean square
 */
public record T5Config(
        long vocabSize,
        long width,
        long headDim,
        long innerWidth,
        int layers,
        long heads,
        int buckets,
        long maxDistance,
        double normEps) {
    private static final String MLP = "feed_forward_proj";
    private static final String GATED = "gated-gelu";
    private static final Set<String> READ = Set.of(
            "classifier_dropout",
            "d_ff",
            "d_kv",
            "d_model",
            "dense_act_fn",
            "feed_forward_proj",
            "is_gated_act",
            "layer_norm_epsilon",
            "num_decoder_layers",
            "num_heads",
            "num_layers",
            "relative_attention_max_distance",
            "relative_attention_num_buckets");

    /**
     * Reads the config.json of transformers' T5EncoderModel, with its defaults for what is left out.
     *
     * @throws dev.diva.BadInputException for the first T5, whose MLP has no gate, and other models
     */
    public static T5Config read(ConfigJson json) {
        json.requireOnly(HuggingFaceKeys.ONLY);
        if (!json.text("model_type", "t5").equals("t5")) {
            throw json.wrong("model_type", "t5");
        }
        if (!json.text(MLP, "relu").equals(GATED)) {
            throw json.wrong(MLP, GATED + ", as T5 1.1 has it");
        }
        T5Config config = new T5Config(
                json.number("vocab_size", 32128),
                json.number("d_model", 512),
                json.number("d_kv", 64),
                json.number("d_ff", 2048),
                Math.toIntExact(json.number("num_layers", 6)),
                json.number("num_heads", 8),
                Math.toIntExact(json.number("relative_attention_num_buckets", 32)),
                json.number("relative_attention_max_distance", 128),
                json.positive("layer_norm_epsilon", 1e-6));
        if (config.buckets < 4 || config.maxDistance <= config.exact()) {
            throw json.wrong(
                    "relative_attention_num_buckets",
                    "4 or more, a quarter of which is less than the largest distance");
        }
        return config;
    }

    /** Keys that nothing is known of. */
    public static List<String> unknown(ConfigJson json) {
        return HuggingFaceKeys.unknown(json).stream()
                .filter(key -> !READ.contains(key))
                .toList();
    }

    /** Distances that have a bucket of their own. */
    long exact() {
        return buckets / 4;
    }
}
