package dev.diva.mine;

import dev.diva.checkpoint.ConfigJson;
import dev.diva.model.Activation;
import java.util.Map;
import java.util.Set;

/**
 * Shape of a DINOv2, with the defaults of transformers' Dinov2Config.
 *
 * @param imageSize side of the images that the position table was made for, pixels
 * @param mlpWidth width inside the MLP
 * @param hasSwiglu whether the MLP is gated (giant) or plain
 */
record Dinov2Config(
        long hiddenSize,
        int numHiddenLayers,
        long numAttentionHeads,
        long mlpWidth,
        boolean hasSwiglu,
        Activation activation,
        double layerNormEps,
        long imageSize,
        long patchSize) {

    /** Settings that change the computation, with the values that are followed. */
    private static final Map<String, Set<String>> ONLY = Map.of(
            "model_type", Set.of("dinov2"),
            "qkv_bias", Set.of("true"),
            "num_channels", Set.of("3"),
            "auto_map", Set.of(),
            "quantization_config", Set.of());

    static Dinov2Config read(ConfigJson json) {
        if (!json.has("model_type")) {
            throw json.wrong("model_type", "dinov2");
        }
        json.requireOnly(ONLY);
        long width = json.number("hidden_size", 768);
        boolean hasSwiglu = json.flag("use_swiglu_ffn", false);
        long mlpWidth = (long) (width * json.fraction("mlp_ratio", 4));
        return new Dinov2Config(
                width,
                Math.toIntExact(json.number("num_hidden_layers", 12)),
                json.number("num_attention_heads", 12),
                hasSwiglu ? (mlpWidth * 2 / 3 + 7) / 8 * 8 : mlpWidth,
                hasSwiglu,
                Activation.named(json.text("hidden_act", "gelu"), json.location() + ": hidden_act"),
                json.fraction("layer_norm_eps", 1e-6),
                json.side("image_size", 224),
                json.side("patch_size", 16));
    }

    /** Patches along a side of the position table. */
    long positionsPerSide() {
        return imageSize / patchSize;
    }
}
