package dev.diva.language;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import java.util.Map;
import java.util.Set;

/**
 * Shape of a Llama decoder.
 *
 * @param hiddenSize width of a token
 * @param intermediateSize width inside the MLP
 * @param numHiddenLayers layers
 * @param numAttentionHeads heads of the queries
 * @param numKeyValueHeads heads of keys and values; numAttentionHeads is a multiple of it
 * @param headDim width of a head, even
 * @param rmsNormEps added to the mean square
 * @param ropeTheta base of the rotary frequencies
 * @param maxPositions longest sequence
 * @param vocabSize rows of the embedding
 * @param tiedEmbeddings whether the head is the embedding
 */
public record LlamaConfig(
        long hiddenSize,
        long intermediateSize,
        int numHiddenLayers,
        long numAttentionHeads,
        long numKeyValueHeads,
        long headDim,
        double rmsNormEps,
        double ropeTheta,
        int maxPositions,
        long vocabSize,
        boolean tiedEmbeddings) {
    public LlamaConfig {
        boolean fits = numKeyValueHeads > 0
                && numAttentionHeads > 0
                && numAttentionHeads % numKeyValueHeads == 0
                && headDim > 0
                && headDim % 2 == 0;
        if (!fits || hiddenSize < 1 || vocabSize < 1 || maxPositions < 1) {
            throw new BadInputException("a language model of width " + hiddenSize + ", " + numAttentionHeads
                    + " heads of "
                    + headDim + " with " + numKeyValueHeads + " for keys and values, " + vocabSize + " ids, "
                    + maxPositions + " positions: heads must be a multiple of key-value heads, their width even");
        }
    }

    /**
     * Reads transformers' names; what the file leaves out is that of Llama 7B, the library's default.
     *
     * @throws BadInputException for what this decoder does not compute: scaled rotary embeddings, biases, other activations
     */
    public static LlamaConfig read(ConfigJson json) {
        json.requireOnly(Map.of(
                "hidden_act", Set.of("silu"),
                "attention_bias", Set.of("false"),
                "mlp_bias", Set.of("false"),
                "rope_scaling", Set.of()));
        ConfigJson rope = json.at("rope_parameters"); // where transformers 5 puts it
        rope.requireOnly(Map.of("rope_type", Set.of("default")));
        long width = json.number("hidden_size", 4096);
        long heads = json.number("num_attention_heads", 32);
        return new LlamaConfig(
                width,
                json.number("intermediate_size", 11008),
                Math.toIntExact(json.number("num_hidden_layers", 32)),
                heads,
                json.number("num_key_value_heads", heads),
                json.number("head_dim", heads == 0 ? 0 : width / heads),
                json.fraction("rms_norm_eps", 1e-6),
                rope.fraction("rope_theta", json.fraction("rope_theta", 10_000)),
                Math.toIntExact(json.number("max_position_embeddings", 2048)),
                json.number("vocab_size", 32_000),
                json.flag("tie_word_embeddings", false));
    }
}
