package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.util.ArrayList;
import java.util.List;

/** What the tensors alone say of the towers, under transformers' names. */
final class TensorShapes {
    private static final String STEM = "vision_model.embeddings.patch_embedding.";

    private final TensorSource source;

    TensorShapes(TensorSource source) {
        this.source = source;
    }

    String location() {
        return source.location();
    }

    boolean has(String name) {
        return source.info(name) != null;
    }

    boolean hasText() {
        return has("text_model.embeddings.token_embedding.weight");
    }

    /** Size of one axis of a tensor. */
    long size(String name, int axis) {
        TensorInfo info = source.info(name);
        if (info == null || info.shape().length <= axis) {
            throw new BadInputException(
                    source.location() + ": no " + name + (info == null ? "" : " of such a shape: " + info)
                            + ": not a CLIP whose size can be read from its tensors");
        }
        return info.shape()[axis];
    }

    long hiddenSize(String tower) {
        return size(tower + ".encoder.layers.0.layer_norm1.weight", 0);
    }

    long intermediateSize(String tower) {
        return size(tower + ".encoder.layers.0.mlp.fc1.weight", 0);
    }

    int numLayers(String tower) {
        int layers = 0;
        while (has(tower + ".encoder.layers." + layers + ".layer_norm1.weight")) {
            layers++;
        }
        return layers;
    }

    VisionConfig.Pooling pooling() {
        if (has("vision_model.head.query")) {
            return VisionConfig.Pooling.QUERIES;
        }
        return has("vision_model.head.probe") || !hasClassToken()
                ? VisionConfig.Pooling.MAP
                : VisionConfig.Pooling.CLASS_TOKEN;
    }

    boolean hasClassToken() {
        return has("vision_model.embeddings.class_embedding");
    }

    /** Whether it is a tower of OpenAI's form, whose sizes the tensors tell. */
    boolean isPlainClip() {
        return pooling() == VisionConfig.Pooling.CLASS_TOKEN
                && !has("vision_model.embeddings.patch_embedding.bias")
                && !hasStem()
                && !has("text_model.embeddings.class_embedding");
    }

    private boolean hasStem() {
        return has(STEM + "0.conv.weight");
    }

    /** The convolutions that make the patches, or null where it is one. */
    List<VisionForm.Stem> stem() {
        List<VisionForm.Stem> layers = new ArrayList<>();
        for (String name = STEM + "0.conv.weight"; has(name); name = STEM + layers.size() + ".conv.weight") {
            layers.add(new VisionForm.Stem(size(name, 0), size(name, 2)));
        }
        return layers.isEmpty() ? null : layers;
    }

    long patchSize() {
        return hasStem()
                ? stem().stream().mapToLong(VisionForm.Stem::kernel).reduce(1, Math::multiplyExact)
                : size("vision_model.embeddings.patch_embedding.weight", 2);
    }

    long imageSize() {
        long tokens = size("vision_model.embeddings.position_embedding.weight", 0);
        long patches = hasClassToken() && !hasStem() ? tokens - 1 : tokens;
        return Math.round(Math.sqrt(patches)) * patchSize();
    }

    long projectionDim() {
        return has("visual_projection.weight") ? size("visual_projection.weight", 0) : hiddenSize("vision_model");
    }

    long textProjectionDim() {
        return size(has("text_projection.weight") ? "text_projection.weight" : "text_model.head.weight", 0);
    }

    long vocabSize() {
        return size("text_model.embeddings.token_embedding.weight", 0);
    }

    long contextLength() {
        return size("text_model.embeddings.position_embedding.weight", 0);
    }
}
