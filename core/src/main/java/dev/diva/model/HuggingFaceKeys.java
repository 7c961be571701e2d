package dev.diva.model;

import dev.diva.checkpoint.ConfigJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** The keys of a {@code config.json} of transformers for the towers of CLIP and SigLIP: which are followed, and which change no number. */
public final class HuggingFaceKeys {
    /** Settings that change the computation or who computes it, with the values that are followed here. */
    public static final Map<String, Set<String>> ONLY = Map.of(
            "num_channels", Set.of("3"),
            "auto_map", Set.of(),
            "quantization_config", Set.of(),
            "is_decoder", Set.of("false"),
            "add_cross_attention", Set.of("false"),
            "output_attentions", Set.of("false"),
            "use_bfloat16", Set.of("false"));

    private static final Set<String> READ = Set.of(
            "model_type",
            "projection_dim",
            "projection_size",
            "hidden_size",
            "intermediate_size",
            "num_hidden_layers",
            "num_attention_heads",
            "hidden_act",
            "layer_norm_eps",
            "image_size",
            "patch_size",
            "num_patches",
            "vocab_size",
            "max_position_embeddings",
            "eos_token_id",
            "vision_use_head",
            "text_config",
            "vision_config",
            "text_config_dict",
            "vision_config_dict");

    /** What the library writes besides: names, training, generation of text, types. None changes an embedding. */
    private static final Pattern HARMLESS = Pattern.compile("_.*|architectures|transformers_version|torch_dtype|dtype"
            + "|logit_(scale|bias)_init_value|initializer_.*|.*dropout.*|gradient_checkpointing|output_.*|return_dict.*|use_return_dict"
            + "|(bos|pad|sep|cls|unk|mask|decoder_start|forced_.*)_token_id|use_cache|tie_.*|torchscript|tf_legacy_loss"
            + "|id2label|label2id|num_labels|problem_type|task_specific_params|finetuning_task|tokenizer_class|prefix"
            + "|pruned_heads|chunk_size_feed_forward|cross_attention_hidden_size|is_encoder_decoder|is_composition"
            + "|bad_words_ids|begin_suppress_tokens|suppress_tokens|diversity_penalty|do_sample|early_stopping"
            + "|encoder_no_repeat_ngram_size|exponential_decay_length_penalty|length_penalty|max_length|min_length"
            + "|no_repeat_ngram_size|num_beam.*|num_return_sequences|remove_invalid_values|repetition_penalty"
            + "|temperature|top_.*|typical_p");

    private HuggingFaceKeys() {}

    /** Keys that nothing is known of, with the part that they stand in. */
    public static List<String> unknown(ConfigJson json) {
        List<String> keys = new ArrayList<>(json.keysOtherThan(key -> READ.contains(key)
                || ONLY.containsKey(key)
                || HARMLESS.matcher(key).matches()));
        for (String part : List.of("text_config", "vision_config")) {
            if (json.has(part)) {
                unknown(json.at(part)).forEach(key -> keys.add(part + "." + key));
            }
        }
        return keys;
    }
}
