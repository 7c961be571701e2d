package dev.diva.language;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.model.HuggingFaceKeys;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Shape of a Gemma 2 decoder.
 *
 * @param shape what it shares with Llama
 * @param queryScale what scores are divided by the root of
 * @param scoreCap cap of the scores, 0 for none
 * @param window how far tokens look back in every other layer
 */
public record GemmaConfig(LlamaConfig shape, double queryScale, double scoreCap, long window) {
    private static final String TYPE = "gemma2";
    private static final String CAP = "attn_logit_softcapping";
    private static final Map<String, Set<String>> ONLY = Map.of(
            "attention_bias", Set.of("false"),
            "hidden_activation", Set.of("gelu_pytorch_tanh"),
            "rope_scaling", Set.of(),
            "use_bidirectional_attention", Set.of("false"));

    /** Settings that are followed, and those of the next token and of the cache. */
    private static final Set<String> READ = Set.of(
            CAP,
            "cache_implementation",
            "final_logit_softcapping",
            "head_dim",
            "layer_types",
            "num_key_value_heads",
            "query_pre_attn_scalar",
            "rms_norm_eps",
            "rope_parameters",
            "rope_theta",
            "sliding_window");

    /**
     * Reads the config.json of transformers' Gemma2Model, with its defaults for what is left out.
     *
     * @throws BadInputException for another model, Gemma's first and third included, and what this decoder does not compute
     */
    public static GemmaConfig read(ConfigJson json) {
        if (!json.text("model_type", TYPE).equals(TYPE)) {
            throw json.wrong("model_type", TYPE);
        }
        json.requireOnly(HuggingFaceKeys.ONLY);
        json.requireOnly(ONLY);
        ConfigJson rope = json.at("rope_parameters"); // where transformers 5 puts it
        rope.requireOnly(Map.of("rope_type", Set.of("default")));
        boolean isUncapped = json.node().path(CAP).isNull();
        return new GemmaConfig(
                shape(json, rope),
                json.positive("query_pre_attn_scalar", 224),
                isUncapped ? 0 : json.positive(CAP, 50),
                json.number("sliding_window", 4096));
    }

    private static LlamaConfig shape(ConfigJson json, ConfigJson rope) {
        long width = json.number("hidden_size", 3072);
        long inner = json.number("intermediate_size", 24576);
        int layers = Math.toIntExact(json.number("num_hidden_layers", 28));
        long heads = json.number("num_attention_heads", 16);
        long shared = json.number("num_key_value_heads", 16);
        long headDim = json.number("head_dim", 256);
        double eps = json.positive("rms_norm_eps", 1e-6);
        double theta = rope.positive("rope_theta", json.positive("rope_theta", 10_000));
        int positions = Math.toIntExact(json.number("max_position_embeddings", 8192));
        long ids = json.number("vocab_size", 256_000);
        try {
            return new LlamaConfig(width, inner, layers, heads, shared, headDim, eps, theta, positions, ids, true);
        } catch (BadInputException e) {
            throw new BadInputException(json.location() + ": " + e.getMessage(), e);
        }
    }

    /** Keys that nothing is known of. */
    public static List<String> unknown(ConfigJson json) {
        return HuggingFaceKeys.unknown(json).stream()
                .filter(key -> !READ.contains(key) && !ONLY.containsKey(key))
                .toList();
    }
}
