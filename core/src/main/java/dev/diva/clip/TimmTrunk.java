package dev.diva.clip;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.model.TransformerConfig;

/** Names of timm's SigLIP towers, by which open_clip builds them. */
final class TimmTrunk {
    private TimmTrunk() {}

    /**
     * Describes a SigLIP tower to open_clip. A tower of no published shape gets its number of heads beside a made-up name: our reader
     * understands that, open_clip has no way to build it.
     */
    static void describe(ObjectNode node, VisionConfig vision) {
        TransformerConfig layers = vision.transformer();
        String size = layers.hiddenSize() == 1152 && layers.numHiddenLayers() == 27
                ? "so400m"
                : layers.hiddenSize() == 768 && layers.numHiddenLayers() == 12
                        ? "base"
                        : layers.hiddenSize() == 1024 && layers.numHiddenLayers() == 24 ? "large" : "custom";
        node.put("timm_model_name", "vit_" + size + "_patch" + vision.patchSize() + "_siglip_" + vision.imageSize());
        node.put("timm_model_pretrained", false).put("timm_pool", "map").put("timm_proj", "none");
        if (size.equals("custom")) {
            node.putObject("timm_kwargs").put("num_heads", layers.numAttentionHeads());
        }
    }
}
