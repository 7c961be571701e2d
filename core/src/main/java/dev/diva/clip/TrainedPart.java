package dev.diva.clip;

import dev.diva.checkpoint.LowRank;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Which part of a vision tower learns.
 *
 * @param masters by the shape of the tower, which tensors become fp32 masters
 * @param adapters low-rank changes of frozen matrices, or null
 */
public record TrainedPart(Function<VisionConfig, Predicate<String>> masters, LowRank.Plan adapters) {
    private static final String MODEL = "vision_model.";
    private static final String LAYERS = "vision_model.encoder.layers.";

    /** Nothing. */
    public static TrainedPart nothing() {
        return new TrainedPart(config -> name -> false, null);
    }

    /** Every tensor. */
    public static TrainedPart full() {
        return new TrainedPart(config -> name -> true, null);
    }

    /** The last layers of the transformer and everything behind them. */
    public static TrainedPart lastBlocks(int count) {
        return new TrainedPart(
                config -> {
                    int first = config.transformer().numHiddenLayers() - count;
                    return name -> name.startsWith(LAYERS) ? layer(name) >= first : isBehindLayers(name);
                },
                null);
    }

    /** Adapters at the layers of those names, for instance {@code q_proj}, of the transformer. */
    public static TrainedPart adapters(LowRank.Plan plan) {
        return new TrainedPart(config -> name -> false, plan);
    }

    /**
     * Whether a linear layer has one of those names: of the transformer by its last part, such as {@code q_proj} and {@code fc1}; {@code
     * visual_projection}, and {@code head.mlp.fc1} and the like of SigLIP's pooling, by all of it.
     */
    public static Predicate<String> layersNamed(Set<String> names) {
        return layer -> layer.startsWith(LAYERS)
                ? names.contains(layer.substring(layer.lastIndexOf('.') + 1))
                : names.contains(layer.substring(layer.startsWith(MODEL) ? MODEL.length() : 0));
    }

    private static boolean isBehindLayers(String name) {
        return name.startsWith("vision_model.post_layernorm.")
                || name.startsWith("vision_model.head.")
                || name.startsWith("visual_projection.");
    }

    private static int layer(String name) {
        String rest = name.substring(LAYERS.length());
        return Integer.parseInt(rest.substring(0, rest.indexOf('.')));
    }
}
