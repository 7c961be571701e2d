package dev.diva.model;

/**
 * Shape of a stack of pre-norm transformer layers.
 *
 * @param hiddenSize width of a token
 * @param intermediateSize width inside the MLP
 * @param numHiddenLayers layers
 * @param numAttentionHeads heads; hiddenSize is a multiple of it
 * @param activation between the two layers of the MLP
 * @param layerNormEps added to the variance
 */
public record TransformerConfig(
        long hiddenSize,
        long intermediateSize,
        int numHiddenLayers,
        long numAttentionHeads,
        Activation activation,
        double layerNormEps) {
    public TransformerConfig {
        if (hiddenSize < 1 || numAttentionHeads < 1 || hiddenSize % numAttentionHeads != 0) {
            throw new IllegalArgumentException(
                    "hiddenSize " + hiddenSize + " is not a multiple of numAttentionHeads " + numAttentionHeads);
        }
    }
}
