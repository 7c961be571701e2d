package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.model.Activation;
import dev.diva.model.TextTransformer;
import dev.diva.model.TransformerConfig;
import java.util.Set;

/**
 * Reads the sizes of a checkpoint without config file from its tensors. What they do not tell is assumed as in OpenAI's code: heads of
 * 64, QuickGELU, the embedding of a text at the highest id. Files of MetaCLIP and of DIVA follow that too, but for the image towers wider
 * than OpenAI's, which all have 16 heads.
 */
final class OpenAiConfig {
    private static final long HEAD_WIDTH = 64;

    /** Widths of ViT-H, g and G in open_clip's and MetaCLIP's configs: heads of 80, 88 and 104. */
    private static final Set<Long> WIDE = Set.of(1280L, 1408L, 1664L);

    private static final long HEADS_OF_WIDE = 16;

    private OpenAiConfig() {}

    static ClipConfig of(TensorShapes shapes) {
        if (!shapes.isPlainClip()) {
            throw new BadInputException(shapes.location()
                    + ": a SigLIP, PE-Core, EVA-CLIP, MobileCLIP-B or CoCa without its config: heads and activation are not in the file;"
                    + " put its open_clip_config.json beside it");
        }
        VisionConfig vision = new VisionConfig(
                layers(shapes, "vision_model"),
                shapes.imageSize(),
                shapes.patchSize(),
                shapes.pooling(),
                shapes.projectionDim());
        if (!shapes.hasText()) {
            return new ClipConfig(vision, null);
        }
        TextTransformer.Config transformer = new TextTransformer.Config(
                layers(shapes, "text_model"), shapes.vocabSize(), shapes.contextLength(), true);
        return new ClipConfig(
                vision,
                new TextConfig(
                        transformer,
                        TextConfig.Pooling.HIGHEST_ID,
                        shapes.vocabSize() - 1,
                        shapes.textProjectionDim()));
    }

    /** What was not read but assumed, for people. */
    static String assumption(ClipConfig config) {
        TransformerConfig vision = config.vision().transformer();
        String text =
                config.hasText() ? ", " + heads(config.text().transformer().transformer()) + " in its text tower" : "";
        return "no open_clip_config.json beside it: QuickGELU and " + heads(vision) + " in the image tower" + text
                + " are assumed, with OpenAI's mean and standard deviation of pixels, as for the models of OpenAI and"
                + " MetaCLIP; for a model trained otherwise (GELU: LAION, DataComp) put its open_clip_config.json"
                + " there";
    }

    /** The same of an image tower inside a larger model. */
    static String assumedOfTower(VisionConfig tower) {
        return "QuickGELU and " + heads(tower.transformer())
                + " are assumed, with CLIP's mean and standard deviation of pixels, as for OpenAI's towers";
    }

    private static String heads(TransformerConfig layers) {
        return layers.numAttentionHeads() + " heads of " + layers.hiddenSize() / layers.numAttentionHeads();
    }

    private static TransformerConfig layers(TensorShapes shapes, String tower) {
        long width = shapes.hiddenSize(tower);
        return new TransformerConfig(
                width,
                shapes.intermediateSize(tower),
                shapes.numLayers(tower),
                tower.equals("vision_model") && WIDE.contains(width) ? HEADS_OF_WIDE : Math.max(1, width / HEAD_WIDTH),
                Activation.QUICK_GELU,
                1e-5);
    }
}
