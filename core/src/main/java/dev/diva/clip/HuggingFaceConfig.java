package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.model.Activation;
import dev.diva.model.TextTransformer;
import dev.diva.model.TransformerConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Reads the {@code config.json} of transformers: CLIPModel, CLIPVisionModelWithProjection, SiglipModel. {@code save_pretrained} leaves
 * out what equals the library's default, so the defaults here are those of the library.
 */
final class HuggingFaceConfig {
    /** A pooled token is looked up by the highest id when the config has this end of text, as transformers does. */
    private static final long LEGACY_EOS = 2;

    private static final TransformerConfig CLIP_VISION =
            new TransformerConfig(768, 3072, 12, 12, Activation.QUICK_GELU, 1e-5);
    private static final TransformerConfig SIGLIP =
            new TransformerConfig(768, 3072, 12, 12, Activation.GELU_TANH, 1e-6);

    /** Settings that change the computation or who computes it, with the values that are followed here. */
    private static final Map<String, Set<String>> ONLY = Map.of(
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

    private HuggingFaceConfig() {}

    /** Keys that nothing is known of, with the part that they stand in. */
    static List<String> unknownKeys(ConfigJson json) {
        List<String> unknown = new ArrayList<>(json.keysOtherThan(key -> READ.contains(key)
                || ONLY.containsKey(key)
                || HARMLESS.matcher(key).matches()));
        for (String part : List.of("text_config", "vision_config")) {
            if (json.has(part)) {
                unknownKeys(json.at(part)).forEach(key -> unknown.add(part + "." + key));
            }
        }
        return unknown;
    }

    static ClipConfig of(ConfigJson json) {
        String type = json.text("model_type", "");
        return switch (type) {
            case "clip" -> clip(json);
            case "clip_vision_model" -> new ClipConfig(clipVision(json, json.number("projection_dim", 512)), null);
            case "siglip" -> siglip(json);
            case "siglip_vision_model" -> new ClipConfig(siglipVision(json), null);
            default ->
                throw new BadInputException(json.location() + ": model_type is \"" + type
                        + "\", expected clip, clip_vision_model, siglip or siglip_vision_model");
        };
    }

    private static ClipConfig clip(ConfigJson json) {
        long projectionDim = json.number("projection_dim", 512);
        ConfigJson text = part(json, "text_config");
        long eos = text.number("eos_token_id", 49407);
        TextTransformer.Config transformer = TextTransformer.Config.clip(text);
        TextConfig.Pooling pooling = eos == LEGACY_EOS ? TextConfig.Pooling.HIGHEST_ID : TextConfig.Pooling.FIRST_EOS;
        return new ClipConfig(
                clipVision(part(json, "vision_config"), projectionDim),
                new TextConfig(transformer, pooling, eos, projectionDim));
    }

    /**
     * The settings of a tower. Before 4.28 transformers wrote them twice; the library makes the whole of a tower's settings from {@code
     * *_dict}, its defaults for what that lacks included.
     */
    private static ConfigJson part(ConfigJson json, String name) {
        json.requireOnly(ONLY);
        ConfigJson part = json.at(json.has(name + "_dict") ? name + "_dict" : name);
        part.requireOnly(ONLY);
        return part;
    }

    static VisionConfig clipVision(ConfigJson json, long projectionDim) {
        json.requireOnly(ONLY);
        TransformerConfig layers = TransformerConfig.read(json, CLIP_VISION);
        return new VisionConfig(
                layers,
                json.side("image_size", 224),
                json.side("patch_size", 32),
                VisionConfig.Pooling.CLASS_TOKEN,
                projectionDim);
    }

    private static ClipConfig siglip(ConfigJson json) {
        json.requireOnly(Map.of("text_config_dict", Set.of(), "vision_config_dict", Set.of()));
        ConfigJson text = part(json, "text_config");
        TransformerConfig layers = TransformerConfig.read(text, SIGLIP);
        TextTransformer.Config transformer = new TextTransformer.Config(
                layers, text.number("vocab_size", 32000), text.number("max_position_embeddings", 64), false);
        TextConfig textConfig = new TextConfig(
                transformer,
                TextConfig.Pooling.LAST,
                text.number("eos_token_id", 1),
                text.number("projection_size", layers.hiddenSize()));
        return new ClipConfig(siglipVision(part(json, "vision_config")), textConfig);
    }

    private static VisionConfig siglipVision(ConfigJson json) {
        json.requireOnly(ONLY);
        if (!json.flag("vision_use_head", true)) {
            throw new BadInputException(json.location() + ": vision_use_head is false: no embedding without the head");
        }
        TransformerConfig layers = TransformerConfig.read(json, SIGLIP);
        return new VisionConfig(
                layers,
                json.side("image_size", 224),
                json.side("patch_size", 16),
                VisionConfig.Pooling.MAP,
                layers.hiddenSize());
    }
}
