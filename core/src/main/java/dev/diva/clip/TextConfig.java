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
 * @param padTokenId id of padding; read by {@link Pooling#CLASS_TOKEN} alone
 */
public record TextConfig(
        TextTransformer.Config transformer,
        Pooling pooling,
        long eosTokenId,
        long projectionDim,
        boolean biasedHead,
        long padTokenId) {
    /** Of a CLIP, or a SigLIP where the last token is pooled. */
    public TextConfig(TextTransformer.Config transformer, Pooling pooling, long eosTokenId, long projectionDim) {
        this(transformer, pooling, eosTokenId, projectionDim, pooling == Pooling.LAST, 0);
    }

    /** Whether it is built as OpenAI's are, so that transformers' CLIPTextModel and OpenAI's code compute it. */
    public boolean isPlainClip() {
        return transformer.causal() && !biasedHead && (pooling == Pooling.HIGHEST_ID || pooling == Pooling.FIRST_EOS);
    }

    /** Whether it is built as SigLIP's, so that transformers' SiglipTextModel computes it. */
    public boolean isPlainSiglip() {
        return !transformer.causal() && biasedHead && pooling == Pooling.LAST;
    }

    /** Whether a learned token stands behind a text. */
    public boolean hasClassToken() {
        return pooling == Pooling.CLASS_TOKEN;
    }

    /** Which token becomes the embedding of a text. */
    public enum Pooling {
        /** The one with the highest id, which in the published vocabulary ends the text: CLIP. */
        HIGHEST_ID,
        /** The first that equals eosTokenId: CLIP whose config names the real id. */
        FIRST_EOS,
        /** The last, whatever it is: SigLIP, CLIPA. */
        LAST,
        /**
         * A learned one behind the text: CoCa. open_clip hides a token where the one before it is padding: one padding token is seen, and the
         * class token sees itself in a full text alone.
         */
        CLASS_TOKEN
    }

    /** Ids that a text is padded or cut to. */
    public int contextLength() {
        return Math.toIntExact(transformer.maxPositionEmbeddings() - (hasClassToken() ? 1 : 0));
    }
}
