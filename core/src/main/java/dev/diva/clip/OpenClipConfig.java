package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.model.Activation;
import dev.diva.model.TextTransformer;
import dev.diva.model.TransformerConfig;
import java.util.Map;

/**
 * Reads {@code open_clip_config.json}. A timm trunk is named there without its sizes: those come from the tensors, and the number of
 * heads from {@code timm_kwargs}, the table of SigLIP trunks, or the text tower of the same width.
 */
final class OpenClipConfig {
    /** Heads of timm's SigLIP vision transformers, by the beginning of the model's name. */
    private static final Map<String, Long> TIMM_HEADS = Map.of(
            "vit_so400m_patch14_siglip", 16L,
            "vit_so400m_patch16_siglip", 16L,
            "vit_base_patch16_siglip", 12L,
            "vit_base_patch32_siglip", 12L,
            "vit_large_patch16_siglip", 16L);

    private OpenClipConfig() {}

    static ClipConfig of(ConfigJson file, TensorShapes shapes) {
        ConfigJson model = file.at("model_cfg");
        ConfigJson vision = model.at("vision_cfg");
        ConfigJson text = model.at("text_cfg");
        if (!model.has("vision_cfg") || !model.has("embed_dim")) {
            throw new BadInputException(file.location() + ": no model_cfg with embed_dim and vision_cfg");
        }
        if (text.has("hf_model_name")) {
            throw new BadInputException(text.location() + ": hf_model_name " + text.text("hf_model_name", "")
                    + ": text towers from transformers are not supported; CLIP's own and SigLIP's are");
        }
        VisionConfig visionConfig = vision.has("timm_model_name") ? timm(vision, text, shapes) : builtIn(model, vision);
        return new ClipConfig(visionConfig, shapes.hasText() ? text(model, text) : null);
    }

    private static VisionConfig builtIn(ConfigJson model, ConfigJson vision) {
        if (!vision.node().path("layers").isIntegralNumber() && vision.has("layers")) {
            throw new BadInputException(vision.location() + ": layers "
                    + vision.node().path("layers") + ": a ResNet; only vision transformers are supported");
        }
        if (vision.flag("attentional_pool", false) || !"tok".equals(vision.text("pool_type", "tok"))) {
            throw new BadInputException(vision.location() + ": pooling other than the class token is not supported");
        }
        long width = vision.number("width", 768);
        TransformerConfig layers = new TransformerConfig(
                width,
                (long) (width * vision.fraction("mlp_ratio", 4)),
                Math.toIntExact(vision.number("layers", 12)),
                width / vision.number("head_width", 64),
                activation(model, vision),
                vision.at("norm_kwargs").fraction("eps", 1e-5));
        return new VisionConfig(
                layers,
                vision.side("image_size", 224),
                vision.side("patch_size", 16),
                VisionConfig.Pooling.CLASS_TOKEN,
                model.number("embed_dim", 0));
    }

    private static VisionConfig timm(ConfigJson vision, ConfigJson text, TensorShapes shapes) {
        String name = vision.text("timm_model_name", "");
        if (!"map".equals(vision.text("timm_pool", "")) || shapes.pooling() != VisionConfig.Pooling.MAP) {
            throw new BadInputException(vision.location() + ": timm model " + name
                    + " does not pool by attention (timm_pool map); only SigLIP's trunks are supported");
        }
        long width = shapes.hiddenSize("vision_model");
        TransformerConfig layers = new TransformerConfig(
                width,
                shapes.intermediateSize("vision_model"),
                shapes.numLayers("vision_model"),
                timmHeads(vision, text, name, width),
                Activation.GELU,
                1e-6);
        return new VisionConfig(
                layers,
                vision.side("image_size", shapes.imageSize()),
                shapes.patchSize(),
                VisionConfig.Pooling.MAP,
                width);
    }

    private static long timmHeads(ConfigJson vision, ConfigJson text, String name, long width) {
        ConfigJson kwargs = vision.at("timm_kwargs");
        if (kwargs.has("num_heads")) {
            return kwargs.number("num_heads", 0);
        }
        for (Map.Entry<String, Long> known : TIMM_HEADS.entrySet()) {
            if (name.startsWith(known.getKey())) {
                return known.getValue();
            }
        }
        if (text.number("width", 512) == width) {
            return text.number("heads", 8); // SigLIP's two towers have the same shape
        }
        throw new BadInputException(vision.location() + ": the number of heads of timm model " + name
                + " is not known; add \"timm_kwargs\": {\"num_heads\": N} to vision_cfg");
    }

    private static TextConfig text(ConfigJson model, ConfigJson text) {
        long width = text.number("width", 512);
        TransformerConfig layers = new TransformerConfig(
                width,
                (long) (width * text.fraction("mlp_ratio", 4)),
                Math.toIntExact(text.number("layers", 12)),
                text.number("heads", 8),
                activation(model, text),
                text.at("norm_kwargs").fraction("eps", 1e-5));
        TextTransformer.Config transformer = new TextTransformer.Config(
                layers,
                text.number("vocab_size", 49408),
                text.number("context_length", 77),
                !text.flag("no_causal_mask", false));
        return new TextConfig(transformer, pooling(text), text.number("eos_id", 2), model.number("embed_dim", 0));
    }

    private static TextConfig.Pooling pooling(ConfigJson text) {
        String type = text.text("pool_type", "argmax");
        boolean projectsWithBias = text.flag("proj_bias", false);
        return switch (type) {
            case "argmax" -> TextConfig.Pooling.HIGHEST_ID;
            case "eos" -> TextConfig.Pooling.FIRST_EOS;
            case "last" -> {
                if (!projectsWithBias) {
                    throw new BadInputException(
                            text.location() + ": pool_type last without proj_bias is not supported");
                }
                yield TextConfig.Pooling.LAST;
            }
            default -> throw new BadInputException(text.location() + ": pool_type " + type + " is not supported");
        };
    }

    private static Activation activation(ConfigJson model, ConfigJson tower) {
        if (model.flag("quick_gelu", false)) {
            return Activation.QUICK_GELU;
        }
        boolean tanh = "tanh".equals(tower.at("act_kwargs").text("approximate", "none"));
        return tanh ? Activation.GELU_TANH : Activation.GELU;
    }
}
