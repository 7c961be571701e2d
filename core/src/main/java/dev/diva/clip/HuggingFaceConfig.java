package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.model.Activation;
import dev.diva.model.HuggingFaceKeys;
import dev.diva.model.TextTransformer;
import dev.diva.model.TransformerConfig;
import java.util.Map;
import java.util.Set;

/**
 * Reads the {@code config.json} of transformers: CLIPModel, CLIPVisionModelWithProjection, SiglipModel, Siglip2Model. {@code save_pretrained} leaves
 * out what equals the library's default, so the defaults here are those of the library.
 */
final class HuggingFaceConfig {
    /** A pooled token is looked up by the highest id when the config has this end of text, as transformers does. */
    private static final long LEGACY_EOS = 2;

    private static final TransformerConfig CLIP_VISION =
            new TransformerConfig(768, 3072, 12, 12, Activation.QUICK_GELU, 1e-5);
    private static final TransformerConfig SIGLIP =
            new TransformerConfig(768, 3072, 12, 12, Activation.GELU_TANH, 1e-6);

    private HuggingFaceConfig() {}

    static ClipConfig of(ConfigJson json) {
        String type = json.text("model_type", "");
        return switch (type) {
            case "clip" -> clip(json);
            case "clip_vision_model" -> new ClipConfig(clipVision(json, json.number("projection_dim", 512)), null);
            case "metaclip_2" -> clip(json);
            case "metaclip_2_vision_model" ->
                new ClipConfig(clipVision(json, json.number("projection_dim", 512)), null);
            case "siglip" -> siglip(json);
            case "siglip_vision_model" -> new ClipConfig(siglipVision(json), null);
            case "siglip2" -> siglip(json);
            case "siglip2_vision_model" -> new ClipConfig(naflexVision(json), null);
            default ->
                throw new BadInputException(json.location() + ": model_type is \"" + type
                        + "\", expected clip, metaclip_2, siglip, siglip2, or one of these with _vision_model");
        };
    }

    private static ClipConfig clip(ConfigJson json) {
        long projectionDim = json.number("projection_dim", 512);
        ConfigJson text = part(json, "text_config");
        long eos = text.number("eos_token_id", 49407);
        TextTransformer.Config transformer = TextTransformer.Config.clip(text);
        boolean isLegacy = eos == LEGACY_EOS && !isMetaClip2(json);
        TextConfig.Pooling pooling = isLegacy ? TextConfig.Pooling.HIGHEST_ID : TextConfig.Pooling.FIRST_EOS;
        return new ClipConfig(
                clipVision(part(json, "vision_config"), projectionDim),
                new TextConfig(transformer, pooling, eos, projectionDim));
    }

    /** A CLIP by its layers, whose end of text is the id that its config names whatever that is, and whose tokenizer is another. */
    static boolean isMetaClip2(ConfigJson json) {
        return json.text("model_type", "").startsWith("metaclip_2");
    }

    /** Whether it is of a whole SigLIP 2 NaFlex. */
    static boolean isNaflex(ConfigJson json) {
        return json.text("model_type", "").equals("siglip2");
    }

    /**
     * The settings of a tower. Before 4.28 transformers wrote them twice; the library makes the whole of a tower's settings from {@code
     * *_dict}, its defaults for what that lacks included.
     */
    private static ConfigJson part(ConfigJson json, String name) {
        json.requireOnly(HuggingFaceKeys.ONLY);
        ConfigJson part = json.at(json.has(name + "_dict") ? name + "_dict" : name);
        part.requireOnly(HuggingFaceKeys.ONLY);
        return part;
    }

    static VisionConfig clipVision(ConfigJson json, long projectionDim) {
        json.requireOnly(HuggingFaceKeys.ONLY);
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
        ConfigJson vision = part(json, "vision_config");
        return new ClipConfig(isNaflex(json) ? naflexVision(vision) : siglipVision(vision), textConfig);
    }

    /** SigLIP 2 NaFlex, whose table of positions is a square of so many patches; a picture has about as many at its own ratio. */
    private static VisionConfig naflexVision(ConfigJson json) {
        VisionConfig siglip = siglipVision(json);
        long patches = json.number("num_patches", 256);
        long side = Math.round(Math.sqrt(patches));
        if (side == 0 || side * side != patches) {
            throw json.wrong("num_patches", "a square number");
        }
        return new VisionConfig(
                siglip.transformer(),
                side * siglip.patchSize(),
                siglip.patchSize(),
                VisionConfig.Pooling.MAP,
                siglip.projectionDim(),
                VisionForm.NAFLEX);
    }

    private static VisionConfig siglipVision(ConfigJson json) {
        json.requireOnly(HuggingFaceKeys.ONLY);
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
