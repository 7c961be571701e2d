package dev.diva.mllm;

import dev.diva.checkpoint.DrawnWeights;

/** A projector before stage 1: weights and biases begin as those of PyTorch's linear layers. */
final class FreshProjector {
    private FreshProjector() {}

    static DrawnWeights of(long visionWidth, long width, long seed) {
        DrawnWeights weights = new DrawnWeights(
                seed,
                (info, random, asked) ->
                        DrawnWeights.uniform(random, DrawnWeights.weightOf(info, asked), info.shape()));
        expect(weights, "0", visionWidth, width);
        expect(weights, "2", width, width);
        return weights;
    }

    private static void expect(DrawnWeights weights, String layer, long in, long out) {
        weights.expect(LlavaNames.PROJECTOR + layer + ".weight", out, in);
        weights.expect(LlavaNames.PROJECTOR + layer + ".bias", out);
    }
}
