package dev.diva.clip;

import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.model.TransformerConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a CLIP checkpoint is, read from its header and config; its tensors are looked at for NaN alone.
 *
 * @param file what holds the tensors
 * @param format layout by its name on the command line
 * @param backbone id in the table of published towers, or null
 * @param vision the image tower
 * @param text the text tower, or null
 * @param embeddingDim width of the embeddings
 * @param hasLogitBias whether logits have a bias (SigLIP)
 * @param parameters numbers by part, and their total
 * @param storage bytes by storage type
 * @param preprocessing how images become pixels, in words
 * @param notes what was assumed because no file tells it, or passed over because nothing is known of it
 * @param broken the first tensor that holds NaN or infinity, in words, or null
 */
public record ClipSummary(
        String file,
        String format,
        String backbone,
        Tower vision,
        Tower text,
        long embeddingDim,
        boolean hasLogitBias,
        Map<String, Long> parameters,
        Map<String, Long> storage,
        String preprocessing,
        List<String> notes,
        String broken) {
    /**
     * One tower in numbers.
     *
     * @param width of a token
     * @param layers of the transformer
     * @param heads of its attention
     * @param tokens that it sees
     * @param inputSize pixels of a side, or number of token ids
     * @param patchSize pixels of a side; 0 for text
     * @param activation in its MLPs
     * @param pooling how its tokens become one
     */
    public record Tower(
            long width,
            int layers,
            long heads,
            long tokens,
            long inputSize,
            long patchSize,
            String activation,
            String pooling) {}

    /** Reads config and tensors. */
    public static ClipSummary of(Path path, CheckpointFormat format) {
        return of(path, format, null);
    }

    /**
     * The same with the image tower of another file.
     *
     * @param visual the state dictionary of an image tower alone, or null
     */
    public static ClipSummary of(Path path, CheckpointFormat format, Path visual) {
        try (ClipCheckpoint checkpoint = ClipCheckpoint.open(path, format, visual)) {
            ClipFiles files = new ClipFiles(checkpoint);
            ClipConfig config = files.config();
            Preprocessing preprocessing = files.preprocessing(config.vision());
            String backbone = Backbones.of(
                            config.vision(), preprocessing, checkpoint.file().toString())
                    .map(Backbone::id)
                    .orElse(null);
            return new ClipSummary(
                    checkpoint.file().toString(),
                    checkpoint.format().flag(),
                    backbone,
                    vision(config.vision()),
                    config.hasText() ? text(config.text()) : null,
                    config.vision().projectionDim(),
                    checkpoint.tensors().info("logit_bias") != null,
                    parameters(checkpoint),
                    storage(checkpoint),
                    preprocessing.toString(),
                    files.notes(),
                    BrokenWeights.find(checkpoint.file().toString(), checkpoint.tensors())
                            .orElse(null));
        }
    }

    private static Tower vision(VisionConfig config) {
        TransformerConfig layers = config.transformer();
        return new Tower(
                layers.hiddenSize(),
                layers.numHiddenLayers(),
                layers.numAttentionHeads(),
                config.numTokens(),
                config.imageSize(),
                config.patchSize(),
                layers.activation().toString(),
                config.pooling().toString());
    }

    private static Tower text(TextConfig config) {
        TransformerConfig layers = config.transformer().transformer();
        return new Tower(
                layers.hiddenSize(),
                layers.numHiddenLayers(),
                layers.numAttentionHeads(),
                config.contextLength(),
                config.transformer().vocabSize(),
                0,
                layers.activation().toString(),
                config.pooling().toString());
    }

    private static Map<String, Long> parameters(ClipCheckpoint checkpoint) {
        Map<String, Long> parameters = new LinkedHashMap<>();
        long total = 0;
        for (TensorInfo info : checkpoint.tensors().tensors()) {
            if (info.dtype().isFloating()) {
                parameters.merge(info.name().split("\\.")[0], info.numel(), Long::sum);
                total += info.numel();
            }
        }
        parameters.put("total", total);
        return parameters;
    }

    private static Map<String, Long> storage(ClipCheckpoint checkpoint) {
        Map<String, Long> storage = new TreeMap<>();
        for (TensorInfo info : checkpoint.stored().tensors()) {
            storage.merge(info.dtype().toString(), info.bytes(), Long::sum);
        }
        return storage;
    }
}
