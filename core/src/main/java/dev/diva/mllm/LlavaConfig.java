package dev.diva.mllm;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.clip.TowerSource;
import dev.diva.language.LlamaConfig;
import java.util.Map;
import java.util.Set;

/**
 * What a LLaVA's {@code config.json} says.
 *
 * @param layout whose names and files the folder has
 * @param language shape of the language model
 * @param visionWidth width of the tower's tokens
 * @param selectLayer which hidden state of the tower is taken: -2 is the output of the last layer but one
 * @param withClassToken whether the tower's class token is taken too
 * @param imageTokenId id that stands for an image in the vocabulary; -1 where none does
 * @param json the file
 */
public record LlavaConfig(
        Layout layout,
        LlamaConfig language,
        long visionWidth,
        long selectLayer,
        boolean withClassToken,
        long imageTokenId,
        ConfigJson json) {
    /** Whose names and files a folder has. */
    public enum Layout {
        /** LLaVA's authors: the tower in a folder of its own. */
        ORIGINAL("llava"),
        /** transformers' LlavaForConditionalGeneration: the tower inside. */
        HF("llava-hf");

        private final String flag;

        Layout(String flag) {
            this.flag = flag;
        }

        /** Its name in what commands print. */
        public String flag() {
            return flag;
        }
    }

    static boolean isLlava(ConfigJson json) {
        String type = json.text("model_type", "");
        return type.equals("llava") || type.equals("llava_llama");
    }

    static LlavaConfig read(ConfigJson json) {
        if (!isLlava(json)) {
            throw new BadInputException(json.location() + ": model_type is \"" + json.text("model_type", "")
                    + "\", expected llava or llava_llama (LLaVA-1.5)");
        }
        return json.has("text_config") || json.has("vision_config") ? hf(json) : original(json);
    }

    /** What a language model's config becomes when it is to be a LLaVA in its authors' layout. */
    static LlavaConfig ofLanguageModel(ConfigJson json) {
        ObjectNode root = ((ObjectNode) json.node()).deepCopy();
        root.put("model_type", "llava_llama");
        root.putArray("architectures").add("LlavaLlamaForCausalLM");
        root.put("use_mm_proj", true)
                .put("mm_projector_type", "mlp2x_gelu")
                .put("mm_vision_select_layer", -2)
                .put("mm_vision_select_feature", "patch")
                .put("mm_patch_merge_type", "flat")
                .put("mm_use_im_start_end", false)
                .put("mm_use_im_patch_token", false)
                .put("image_aspect_ratio", "pad");
        return original(new ConfigJson(root, json.location()));
    }

    /** The same with a projector for the tokens of a tower. */
    LlavaConfig seeing(TowerSource tower) {
        ObjectNode root = ((ObjectNode) json.node()).deepCopy();
        long width = tower.config().transformer().hiddenSize();
        if (layout == Layout.ORIGINAL) {
            root.put("mm_hidden_size", width);
        } else {
            ObjectNode vision = root.withObject("/vision_config");
            vision.setAll(tower.configJson());
        }
        ConfigJson changed = new ConfigJson(root, json.location());
        return new LlavaConfig(layout, language, width, selectLayer, withClassToken, imageTokenId, changed);
    }

    private static LlavaConfig original(ConfigJson json) {
        json.requireOnly(Map.of(
                "mm_projector_type", Set.of("mlp2x_gelu"),
                "mm_use_im_start_end", Set.of("false"),
                "mm_vision_select_feature", Set.of("patch", "cls_patch"),
                "mm_patch_merge_type", Set.of("flat")));
        return new LlavaConfig(
                Layout.ORIGINAL,
                LlamaConfig.read(json),
                json.number("mm_hidden_size", 1024),
                whole(json, "mm_vision_select_layer", -2),
                json.text("mm_vision_select_feature", "patch").equals("cls_patch"),
                -1,
                json);
    }

    private static LlavaConfig hf(ConfigJson json) {
        json.requireOnly(Map.of(
                "projector_hidden_act", Set.of("gelu"),
                "multimodal_projector_bias", Set.of("true"),
                "vision_feature_select_strategy", Set.of("default", "full")));
        json.at("text_config").requireOnly(Map.of("model_type", Set.of("llama")));
        json.at("vision_config").requireOnly(Map.of("model_type", Set.of("clip_vision_model")));
        return new LlavaConfig(
                Layout.HF,
                LlamaConfig.read(json.at("text_config")),
                json.at("vision_config").number("hidden_size", 1024),
                whole(json, "vision_feature_layer", -2),
                json.text("vision_feature_select_strategy", "default").equals("full"),
                json.number("image_token_index", json.number("image_token_id", 32_000)),
                json);
    }

    private static long whole(ConfigJson json, String key, long whenAbsent) {
        if (!json.has(key)) {
            return whenAbsent;
        }
        if (!json.node().path(key).isIntegralNumber()) {
            throw json.wrong(key, "a whole number");
        }
        return json.node().path(key).asLong();
    }

    /** The tower's part of the file, in the hub's layout; what it leaves out is that of transformers' CLIP. */
    ConfigJson vision() {
        return json.at("vision_config");
    }

    /** What the file calls the tower, in its authors' layout; empty where it names none. */
    public String towerName() {
        return json.text("mm_vision_tower", json.text("vision_tower", ""));
    }

    /** Whether LLaVA's own code takes the tower inside the checkpoint, if there is one. */
    boolean takesInnerTower() {
        return json.flag("unfreeze_mm_vision_tower", false);
    }

    /**
     * How many layers of a tower the tokens go through.
     *
     * @throws BadInputException when the tower has fewer
     */
    int layersOf(int towerLayers) {
        long count = selectLayer < 0 ? towerLayers + 1 + selectLayer : selectLayer;
        if (count < 0 || count > towerLayers) {
            throw new BadInputException(json.location() + ": takes hidden state " + selectLayer
                    + " of the tower, which has " + towerLayers + " layers");
        }
        return (int) count;
    }
}
