package dev.diva.model;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;

/**
 * Shape of a stack of transformer layers.
 *
 * @param hiddenSize width of a token
 * @param intermediateSize width inside the MLP
 * @param numHiddenLayers layers
 * @param numAttentionHeads heads; hiddenSize is a multiple of it
 * @param activation between the two layers of the MLP
 * @param layerNormEps added to the variance
 * @param form how the layers depart from CLIP's
 */
public record TransformerConfig(
        long hiddenSize,
        long intermediateSize,
        int numHiddenLayers,
        long numAttentionHeads,
        Activation activation,
        double layerNormEps,
        LayerForm form) {
    /** Of CLIP's layers. */
    public TransformerConfig(
            long hiddenSize,
            long intermediateSize,
            int numHiddenLayers,
            long numAttentionHeads,
            Activation activation,
            double layerNormEps) {
        this(
                hiddenSize,
                intermediateSize,
                numHiddenLayers,
                numAttentionHeads,
                activation,
                layerNormEps,
                LayerForm.CLIP);
    }

    public TransformerConfig {
        if (hiddenSize < 1 || numAttentionHeads < 1 || hiddenSize % numAttentionHeads != 0) {
            throw new IllegalArgumentException(
                    "hiddenSize " + hiddenSize + " is not a multiple of numAttentionHeads " + numAttentionHeads);
        }
    }

    /** Channels of a head. */
    public long headWidth() {
        return hiddenSize / numAttentionHeads;
    }

    /**
     * Reads transformers' names.
     *
     * @param defaults of what the file leaves out
     */
    public static TransformerConfig read(ConfigJson json, TransformerConfig defaults) {
        long width = json.number("hidden_size", defaults.hiddenSize);
        long heads = json.number("num_attention_heads", defaults.numAttentionHeads);
        if (heads == 0 || width == 0 || width % heads != 0) {
            throw new BadInputException(
                    json.location() + ": hidden_size " + width + " is not a multiple of num_attention_heads " + heads);
        }
        return new TransformerConfig(
                width,
                json.number("intermediate_size", defaults.intermediateSize),
                Math.toIntExact(json.number("num_hidden_layers", defaults.numHiddenLayers)),
                heads,
                json.has("hidden_act")
                        ? Activation.named(json.text("hidden_act", ""), json.location() + ": hidden_act")
                        : defaults.activation,
                json.positive("layer_norm_eps", defaults.layerNormEps));
    }
}
