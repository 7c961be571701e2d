package dev.diva.mine;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.model.Activation;
import java.nio.file.Path;

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

    static Dinov2Config of(JsonNode json, Path file) {
        if (!json.path("model_type").asText().equals("dinov2")) {
            throw new BadInputException(file + ": model_type is " + json.path("model_type") + ", expected dinov2");
        }
        if (!json.path("qkv_bias").asBoolean(true)) {
            throw new BadInputException(file + ": qkv_bias is false, which no published DINOv2 has");
        }
        long width = json.path("hidden_size").asLong(768);
        boolean hasSwiglu = json.path("use_swiglu_ffn").asBoolean(false);
        long mlpWidth = (long) (width * json.path("mlp_ratio").asDouble(4));
        return new Dinov2Config(
                width,
                json.path("num_hidden_layers").asInt(12),
                json.path("num_attention_heads").asLong(12),
                hasSwiglu ? (mlpWidth * 2 / 3 + 7) / 8 * 8 : mlpWidth,
                hasSwiglu,
                Activation.named(json.path("hidden_act").asText("gelu"), file + ": hidden_act"),
                json.path("layer_norm_eps").asDouble(1e-6),
                json.path("image_size").asLong(224),
                json.path("patch_size").asLong(16));
    }

    /** Patches along a side of the position table. */
    long positionsPerSide() {
        return imageSize / patchSize;
    }
}
