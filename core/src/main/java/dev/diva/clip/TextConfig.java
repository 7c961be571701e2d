package dev.diva.clip;

import dev.diva.model.TextTransformer;

/**
 * Shape of a text tower.
 *
 * @param transformer embeddings and layers
 * @param pooling which token becomes the embedding
 * @param eosTokenId id that ends a text; read by {@link Pooling#FIRST_EOS} alone
 * @param projectionDim width of the embedding
 * @param biasedHead whether the last layer has a bias, as SigLIP's {@code head}, or is a matrix alone
 */
public record TextConfig(
        TextTransformer.Config transformer, Pooling pooling, long eosTokenId, long projectionDim, boolean biasedHead) {
    /** Of a CLIP, or a SigLIP where the last token is pooled. */
    public TextConfig(TextTransformer.Config transformer, Pooling pooling, long eosTokenId, long projectionDim) {
        this(transformer, pooling, eosTokenId, projectionDim, pooling == Pooling.LAST);
    }

    /** Which token becomes the embedding of a text. */
    public enum Pooling {
        /** The one with the highest id, which in the published vocabulary ends the text: CLIP. */
        HIGHEST_ID,
        /** The first that equals eosTokenId: CLIP whose config names the real id. */
        FIRST_EOS,
        /** The last, whatever it is: SigLIP, CLIPA. */
        LAST
    }

    /** Ids that a text is padded or cut to. */
    public int contextLength() {
        return Math.toIntExact(transformer.maxPositionEmbeddings());
    }
}
