package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.model.Activation;
import dev.diva.model.TextTransformer;
import dev.diva.model.TransformerConfig;
import java.util.Map;
import java.util.Set;

/**
 * Reads {@code open_clip_config.json}. A timm trunk is named there without its sizes: those come from the tensors, and the number of
 * heads from {@code timm_kwargs}, the table of SigLIP trunks, or the text tower of the same width.
 */
final class OpenClipConfig {
    /** Settings of both towers that change the computation, with the values that are followed here. */
    private static final Map<String, Set<String>> ONLY = Map.ofEntries(
            Map.entry("ls_init_value", Set.of()),
            Map.entry("attentional_pool", Set.of("false", "true")),
            Map.entry("block_type", Set.of("default", "custom")),
            Map.entry("qk_norm", Set.of("false")),
            Map.entry("scaled_cosine_attn", Set.of("false")),
            Map.entry("scale_heads", Set.of("false")),
            Map.entry("scale_attn_inner", Set.of("false")),
            Map.entry("scale_attn", Set.of("false")),
            Map.entry("scale_fc", Set.of("false")),
            Map.entry("proj_type", Set.of("linear")));

    private static final Set<String> MODEL_KEYS = Set.of(
            "embed_dim",
            "vision_cfg",
            "text_cfg",
            "multimodal_cfg",
            "quick_gelu",
            "custom_text",
            "init_logit_scale",
            "init_logit_bias",
            "nonscalar_logit_scale",
            "cast_dtype",
            "output_dict");

    /** What open_clip knows besides of an image tower: the sizes, what only training sees, and how the embedding is handed over. */
    private static final Set<String> VISION_KEYS = Set.of(
            "layers",
            "width",
            "head_width",
            "mlp_ratio",
            "patch_size",
            "image_size",
            "patch_dropout",
            "attn_pooler_queries",
            "attn_pooler_heads",
            "pos_embed_type",
            "final_ln_after_pool",
            "no_ln_pre",
            "pool_type",
            "output_tokens",
            "act_kwargs",
            "norm_kwargs",
            "timm_model_name",
            "timm_model_pretrained",
            "timm_pool",
            "timm_proj",
            "timm_proj_bias",
            "timm_drop",
            "timm_drop_path",
            "timm_kwargs");

    /** What stands beside a name of timm where that tells too little. */
    private static final Set<String> TIMM_KEYS = Set.of(
            "num_heads",
            "act_layer",
            "attn_pool_num_heads",
            "ref_feat_shape",
            "use_post_norm",
            "embed_dim",
            "depth",
            "patch_size",
            "img_size");

    private static final Set<String> TEXT_KEYS = Set.of(
            "context_length",
            "vocab_size",
            "hf_tokenizer_name",
            "tokenizer_mode",
            "tokenizer_kwargs",
            "width",
            "heads",
            "layers",
            "mlp_ratio",
            "pad_id",
            "eos_id",
            "no_causal_mask",
            "embed_cls",
            "final_ln_after_pool",
            "pool_type",
            "proj_bias",
            "output_tokens",
            "act_kwargs",
            "norm_kwargs",
            "hf_model_pretrained",
            "hf_proj_type",
            "hf_pooler_type");

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
        require(model, MODEL_KEYS);
        require(vision, VISION_KEYS);
        require(text, TEXT_KEYS);
        VisionConfig visionConfig =
                vision.has("timm_model_name") ? timm(model, vision, text, shapes) : builtIn(model, vision, shapes);
        return new ClipConfig(visionConfig, shapes.hasText() ? text(model, text) : null);
    }

    private static void require(ConfigJson part, Set<String> keys) {
        part.requireOnly(ONLY);
        part.requireKnown(key -> keys.contains(key) || ONLY.containsKey(key));
        part.at("act_kwargs").requireOnly(Map.of("approximate", Set.of("tanh", "none")));
        part.at("act_kwargs").requireKnown("approximate"::equals);
        part.at("norm_kwargs").requireKnown("eps"::equals);
        part.at("timm_kwargs").requireOnly(Map.of("act_layer", Set.of("gelu", "gelu_tanh")));
        part.at("timm_kwargs").requireKnown(TIMM_KEYS::contains);
    }

    private static VisionConfig builtIn(ConfigJson model, ConfigJson vision, TensorShapes shapes) {
        if (!vision.node().path("layers").isIntegralNumber() && vision.has("layers")) {
            throw new BadInputException(vision.location() + ": layers "
                    + vision.node().path("layers") + ": a ResNet; only vision transformers are supported");
        }
        VisionConfig.Pooling pooling = visionPooling(vision, shapes);
        boolean hasPreNorm = shapes.has("vision_model.pre_layrnorm.weight");
        if (vision.flag("no_ln_pre", false) == hasPreNorm) {
            throw vision.wrong(
                    "no_ln_pre", !hasPreNorm + ": the weights " + (hasPreNorm ? "have" : "lack") + " ln_pre");
        }
        long width = vision.number("width", 768);
        long headWidth = vision.number("head_width", 64);
        if (headWidth == 0 || width % headWidth != 0) {
            throw vision.wrong("head_width", "a divisor of width " + width);
        }
        TransformerConfig layers = new TransformerConfig(
                width,
                (long) (width * vision.fraction("mlp_ratio", 4)),
                Math.toIntExact(vision.number("layers", 12)),
                width / headWidth,
                activation(model, vision),
                vision.at("norm_kwargs").fraction("eps", 1e-5));
        return new VisionConfig(
                layers,
                vision.side("image_size", 224),
                vision.side("patch_size", 16),
                pooling,
                model.number("embed_dim", 0),
                form(hasPreNorm, pooling == VisionConfig.Pooling.QUERIES ? queries(model, vision) : null));
    }

    private static VisionForm form(boolean hasPreNorm, VisionForm.Pool pool) {
        return new VisionForm(true, false, hasPreNorm, VisionForm.Projection.PLAIN, pool, null, false, null);
    }

    /** The pooling of CoCa, whose width is that of the embeddings. */
    private static VisionForm.Pool queries(ConfigJson model, ConfigJson vision) {
        long heads = vision.number("attn_pooler_heads", 8);
        long width = model.number("embed_dim", 0);
        if (heads == 0 || width % heads != 0) {
            throw vision.wrong("attn_pooler_heads", "a divisor of embed_dim " + width);
        }
        long queries = vision.number("attn_pooler_queries", 256);
        if (queries < 2) {
            throw vision.wrong("attn_pooler_queries", "at least 2");
        }
        return new VisionForm.Pool(heads, 0, queries);
    }

    /** The mean of the patches is normed behind the pooling, as in CLIPA, or else not computed here. */
    private static VisionConfig.Pooling visionPooling(ConfigJson vision, TensorShapes shapes) {
        String type = vision.text("pool_type", "tok");
        boolean asks = vision.flag("attentional_pool", false);
        if (asks != (shapes.pooling() == VisionConfig.Pooling.QUERIES)) {
            throw vision.wrong("attentional_pool", !asks + ": the weights " + (asks ? "lack" : "have") + " attn_pool");
        }
        if (asks && type.equals("tok")) {
            return VisionConfig.Pooling.QUERIES;
        }
        boolean isAverage = type.equals("avg") && vision.flag("final_ln_after_pool", false) && !asks;
        if (!isAverage && !type.equals("tok")) {
            throw new BadInputException(vision.location() + ": pool_type " + type
                    + " is not supported: the class token (tok) is, and avg with final_ln_after_pool where there is no"
                    + " attentional_pool");
        }
        return isAverage ? VisionConfig.Pooling.AVERAGE : VisionConfig.Pooling.CLASS_TOKEN;
    }

    private static VisionConfig timm(ConfigJson model, ConfigJson vision, ConfigJson text, TensorShapes shapes) {
        if (TimmClipTrunk.isNamed(vision.text("timm_model_name", ""))) {
            return TimmClipTrunk.of(vision, text, model.number("embed_dim", 0), shapes);
        }
        TimmTrunk trunk = TimmTrunk.of(vision, shapes);
        long width = shapes.hiddenSize("vision_model");
        TransformerConfig layers = new TransformerConfig(
                width,
                shapes.intermediateSize("vision_model"),
                shapes.numLayers("vision_model"),
                trunk.heads(vision, text, width),
                trunk.activation(vision),
                1e-6);
        return new VisionConfig(
                layers,
                vision.side("image_size", shapes.imageSize()),
                shapes.patchSize(),
                VisionConfig.Pooling.MAP,
                width);
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
        boolean hasClassToken = text.flag("embed_cls", false);
        if (hasClassToken && text.flag("no_causal_mask", false)) {
            throw text.wrong("no_causal_mask", "false, as in every CoCa (embed_cls)");
        }
        TextTransformer.Config transformer = new TextTransformer.Config(
                layers,
                text.number("vocab_size", 49408),
                text.number("context_length", 77) + (hasClassToken ? 1 : 0),
                !text.flag("no_causal_mask", false));
        return new TextConfig(
                transformer,
                hasClassToken ? TextConfig.Pooling.CLASS_TOKEN : pooling(text),
                text.number("eos_id", 2),
                model.number("embed_dim", 0),
                text.flag("proj_bias", false),
                text.number("pad_id", 0));
    }

    private static TextConfig.Pooling pooling(ConfigJson text) {
        String type = text.text("pool_type", "argmax");
        return switch (type) {
            case "argmax" -> TextConfig.Pooling.HIGHEST_ID;
            case "eos" -> TextConfig.Pooling.FIRST_EOS;
            case "last" -> TextConfig.Pooling.LAST;
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
