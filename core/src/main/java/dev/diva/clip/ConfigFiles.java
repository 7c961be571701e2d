package dev.diva.clip;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.clip.Preprocessing.Interpolation;
import dev.diva.clip.Preprocessing.Resize;
import dev.diva.model.Activation;
import dev.diva.model.PublishedVocabulary;
import dev.diva.model.TransformerConfig;

/** The config files of the libraries, made from ours: the readers of this package backwards. */
final class ConfigFiles {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ClipConfig config;
    private final boolean siglip;

    ConfigFiles(ClipConfig config) {
        this.config = config;
        this.siglip = config.vision().pooling() == VisionConfig.Pooling.MAP;
    }

    /**
     * transformers' config.json.
     *
     * @param foreignTokenizer whether a CLIP's texts go through another tokenizer than CLIP's: a MetaCLIP 2 to transformers
     */
    ObjectNode transformers(String dtype, boolean foreignTokenizer) {
        ObjectNode root = JSON.createObjectNode();
        boolean isMetaClip2 = foreignTokenizer && config.hasText();
        String clip = isMetaClip2 ? "metaclip_2" : "clip";
        String family = siglip ? "siglip" : clip;
        if (config.hasText()) {
            String model = isMetaClip2 ? "MetaClip2Model" : "CLIPModel";
            root.putArray("architectures").add(siglip ? "SiglipModel" : model);
            root.put("model_type", family).put("initializer_factor", 1.0);
            if (!siglip) {
                root.put("logit_scale_init_value", 2.6592)
                        .put("projection_dim", config.vision().projectionDim());
            }
            text(root.putObject("text_config"), family);
            vision(root.putObject("vision_config"), family);
        } else {
            root.putArray("architectures").add(siglip ? "SiglipVisionModel" : "CLIPVisionModelWithProjection");
            vision(root, family);
        }
        root.put("torch_dtype", dtype);
        return root;
    }

    /** The image tower's part of transformers' config.json of a CLIP. */
    ObjectNode visionPart() {
        ObjectNode node = JSON.createObjectNode();
        vision(node, "clip");
        return node;
    }

    private void vision(ObjectNode node, String family) {
        node.put("model_type", family + "_vision_model")
                .put("image_size", config.vision().imageSize())
                .put("patch_size", config.vision().patchSize());
        layers(node, config.vision().transformer());
        if (!siglip) {
            node.put("projection_dim", config.vision().projectionDim());
        }
    }

    private void text(ObjectNode node, String family) {
        TextConfig text = config.text();
        node.put("model_type", family + "_text_model")
                .put("vocab_size", text.transformer().vocabSize())
                .put("max_position_embeddings", text.transformer().maxPositionEmbeddings());
        layers(node, text.transformer().transformer());
        if (siglip) {
            if (text.projectionDim() != text.transformer().transformer().hiddenSize()) {
                node.put("projection_size", text.projectionDim());
            }
        } else {
            // 2 is not the id: it tells transformers to look for the highest one, as OpenAI's code does.
            boolean highest = text.pooling() == TextConfig.Pooling.HIGHEST_ID;
            node.put("projection_dim", text.projectionDim())
                    .put("bos_token_id", 0)
                    .put("eos_token_id", highest ? 2 : text.eosTokenId());
        }
    }

    private static void layers(ObjectNode node, TransformerConfig layers) {
        node.put("hidden_size", layers.hiddenSize())
                .put("intermediate_size", layers.intermediateSize())
                .put("num_hidden_layers", layers.numHiddenLayers())
                .put("num_attention_heads", layers.numAttentionHeads())
                .put("layer_norm_eps", layers.layerNormEps());
        node.put(
                "hidden_act",
                switch (layers.activation()) {
                    case QUICK_GELU -> "quick_gelu";
                    case GELU -> "gelu";
                    case GELU_TANH -> "gelu_pytorch_tanh";
                    case SILU -> "silu";
                });
    }

    /** transformers' preprocessor_config.json. */
    ObjectNode transformersPreprocessing(Preprocessing preprocessing) {
        ObjectNode node = JSON.createObjectNode();
        boolean crops = preprocessing.resize() == Resize.SHORTEST_CROP;
        PatchBudget patches = preprocessing.patches();
        boolean resizesAlone = siglip && !crops && preprocessing.resizeTo() == preprocessing.imageSize();
        node.put(
                "image_processor_type",
                patches != null
                        ? "Siglip2ImageProcessor"
                        : resizesAlone ? "SiglipImageProcessor" : "CLIPImageProcessor");
        node.put("do_resize", true)
                .put("do_rescale", true)
                .put("do_normalize", true)
                .put("do_convert_rgb", true);
        node.put("rescale_factor", 1.0 / 255);
        node.put(
                "resample",
                switch (preprocessing.interpolation()) {
                    case LANCZOS -> 1;
                    case BILINEAR -> 2;
                    case BICUBIC -> 3;
                });
        if (patches != null) {
            node.put("patch_size", patches.side()).put("max_num_patches", patches.count());
        } else if (crops) {
            node.putObject("size").put("shortest_edge", preprocessing.resizeTo());
        } else {
            square(node.putObject("size"), preprocessing.resizeTo());
        }
        if (!resizesAlone) {
            node.put("do_center_crop", crops || preprocessing.resizeTo() != preprocessing.imageSize());
            square(node.putObject("crop_size"), preprocessing.imageSize());
        }
        channels(node, "image_mean", preprocessing.mean());
        channels(node, "image_std", preprocessing.std());
        return node;
    }

    private static void square(ObjectNode node, int side) {
        node.put("height", side).put("width", side);
    }

    private static void channels(ObjectNode node, String key, float[] values) {
        var array = node.putArray(key);
        for (float value : values) {
            array.add(value);
        }
    }

    /**
     * open_clip_config.json.
     *
     * @param stripsPunctuation whether a SigLIP's texts lose their punctuation
     * @param foreignTokenizer whether a CLIP's texts go through another tokenizer than CLIP's
     */
    ObjectNode openClip(Preprocessing preprocessing, boolean stripsPunctuation, boolean foreignTokenizer) {
        ObjectNode root = JSON.createObjectNode();
        ObjectNode model = root.putObject("model_cfg");
        TransformerConfig layers = config.vision().transformer();
        model.put("embed_dim", config.vision().projectionDim());
        if (layers.activation() == Activation.QUICK_GELU) {
            model.put("quick_gelu", true);
        }
        ObjectNode vision =
                model.putObject("vision_cfg").put("image_size", config.vision().imageSize());
        if (siglip) {
            model.put("init_logit_bias", -10).put("custom_text", true);
            TimmTrunk.describe(vision, config.vision());
        } else {
            vision.put("layers", layers.numHiddenLayers()).put("width", layers.hiddenSize());
            vision.put("head_width", layers.hiddenSize() / layers.numAttentionHeads());
            vision.put("patch_size", config.vision().patchSize());
            ratioAndEps(vision, layers);
        }
        ObjectNode text = model.putObject("text_cfg");
        openClipText(text, stripsPunctuation);
        if (foreignTokenizer) {
            text.put(
                    "hf_tokenizer_name",
                    "facebook/xlm-v-base"); // MetaCLIP 2's; of a local folder it is the folder's own
            text.put("pool_type", "eos").put("eos_id", config.text().eosTokenId());
        }
        ObjectNode pixels = root.putObject("preprocess_cfg");
        channels(pixels, "mean", preprocessing.mean());
        channels(pixels, "std", preprocessing.std());
        if (preprocessing.interpolation() == Interpolation.LANCZOS
                || preprocessing.resizeTo() != preprocessing.imageSize()) {
            throw new BadInputException(
                    "open_clip's layout has no place for this preprocessing: " + preprocessing + "; choose hf");
        }
        pixels.put("interpolation", preprocessing.interpolation() == Interpolation.BICUBIC ? "bicubic" : "bilinear");
        pixels.put("resize_mode", preprocessing.resize() == Resize.SQUASH ? "squash" : "shortest");
        return root;
    }

    private void openClipText(ObjectNode node, boolean stripsPunctuation) {
        TextConfig text = config.text();
        TransformerConfig layers = text.transformer().transformer();
        node.put("context_length", text.contextLength())
                .put("vocab_size", text.transformer().vocabSize())
                .put("width", layers.hiddenSize())
                .put("heads", layers.numAttentionHeads())
                .put("layers", layers.numHiddenLayers());
        ratioAndEps(node, layers);
        if (siglip) {
            node.put("no_causal_mask", true).put("proj_bias", true).put("pool_type", "last");
            // Of a local folder open_clip takes the folder's own files, whatever the name.
            node.put(
                    "hf_tokenizer_name",
                    switch ((int) text.transformer().vocabSize()) {
                        case 32000 -> "timm/ViT-B-16-SigLIP";
                        case 250000 -> "timm/ViT-B-16-SigLIP-i18n-256";
                        case 256000 -> "timm/ViT-B-16-SigLIP2";
                        default -> "tokenizer";
                    });
            node.putObject("tokenizer_kwargs").put("clean", stripsPunctuation ? "canonicalize" : "whitespace");
            if (layers.activation() == Activation.GELU_TANH) {
                node.putObject("act_kwargs").put("approximate", "tanh");
            }
        } else if (text.pooling() == TextConfig.Pooling.FIRST_EOS
                && text.eosTokenId() != PublishedVocabulary.SIZE - 1) {
            node.put("pool_type", "eos").put("eos_id", text.eosTokenId());
        }
    }

    /** open_clip multiplies and cuts off the fraction; the ratio is chosen so that the width comes out. */
    private static void ratioAndEps(ObjectNode node, TransformerConfig layers) {
        double ratio = (double) layers.intermediateSize() / layers.hiddenSize();
        node.put(
                "mlp_ratio",
                (long) (layers.hiddenSize() * ratio) == layers.intermediateSize() ? ratio : Math.nextUp(ratio));
        if (layers.layerNormEps() != 1e-5) {
            node.putObject("norm_kwargs").put("eps", layers.layerNormEps());
        }
    }
}
