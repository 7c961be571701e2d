package dev.diva.clip;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.diva.model.Activation;
import java.util.List;

/**
 * A published tower and how the paper's authors treat it: a row of {@code backbones.yaml}.
 *
 * @param id name in recipes
 * @param names parts of a path that tell it from towers of the same shape
 * @param tower its shape
 * @param resize how its images become squares
 * @param recap which of its tokens enter the condition
 * @param evaluation what the authors score: pooled, pooled_plus_mean_local or unit_pooled_plus_mean_unit_local
 * @param analogy whether the paper does not have it, and the recap is that of the nearest tower that it has
 */
public record Backbone(
        String id,
        List<String> names,
        Tower tower,
        Preprocessing.Resize resize,
        RecapDefault recap,
        @JsonProperty("evaluation") String evaluation,
        boolean analogy) {
    /**
     * What identifies a tower; activation null fits any.
     *
     * @param relative whether it is built neither as OpenAI's CLIP nor as the first SigLIP
     */
    public record Tower(
            long width,
            int layers,
            long patchSize,
            long imageSize,
            VisionConfig.Pooling pooling,
            Activation activation,
            boolean relative) {
        boolean fits(VisionConfig vision) {
            return width == vision.transformer().hiddenSize()
                    && layers == vision.transformer().numHiddenLayers()
                    && patchSize == vision.patchSize()
                    && imageSize == vision.imageSize()
                    && pooling == vision.pooling()
                    && relative == !(vision.isPlainClip() || vision.isPlainSiglip())
                    && (activation == null || activation == vision.transformer().activation());
        }
    }

    /**
     * The recap of the authors' code.
     *
     * @param tokens random, all or pooled
     * @param count random tokens, or null
     * @param fraction of the patches, or null
     * @param window tokens averaged into one, or null
     * @param text elementwise or mean
     */
    public record RecapDefault(String tokens, Integer count, Double fraction, Integer window, String text) {}
}
