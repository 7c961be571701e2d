package dev.diva.clip;

import dev.diva.model.Activation;
import dev.diva.model.TextTransformer;
import dev.diva.model.TransformerConfig;

/**
 * Reads the sizes of a checkpoint without config file from its tensors, with the conventions of OpenAI's code: heads of 64, QuickGELU,
 * the embedding of a text at the highest id. Files of MetaCLIP and of DIVA follow them too.
 */
final class OpenAiConfig {
    private static final long HEAD_WIDTH = 64;

    private OpenAiConfig() {}

    static ClipConfig of(TensorShapes shapes) {
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

    private static TransformerConfig layers(TensorShapes shapes, String tower) {
        long width = shapes.hiddenSize(tower);
        return new TransformerConfig(
                width,
                shapes.intermediateSize(tower),
                shapes.numLayers(tower),
                Math.max(1, width / HEAD_WIDTH),
                Activation.QUICK_GELU,
                1e-5);
    }
}
