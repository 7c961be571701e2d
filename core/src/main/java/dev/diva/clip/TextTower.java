package dev.diva.clip;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Tensors;
import dev.diva.model.Linear;
import dev.diva.model.TextTransformer;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Text tower of CLIP and SigLIP: ids to one embedding per text. */
public final class TextTower {
    private final TextTransformer transformer;
    private final Linear projection;
    private final TextConfig config;
    private final Tensor classToken; // [width] or null

    /** @param weights the view of the whole checkpoint: reads {@code text_model} and {@code text_projection} */
    public TextTower(Weights weights, TextConfig config) {
        long width = config.transformer().transformer().hiddenSize();
        this.transformer = new TextTransformer(weights.at("text_model"), config.transformer());
        this.projection = config.biasedHead()
                ? Linear.of(weights.at("text_model").at("head"), width, config.projectionDim())
                : Linear.withoutBias(weights.at("text_projection"), width, config.projectionDim());
        this.classToken = config.hasClassToken()
                ? weights.at("text_model").at("embeddings").matrix("class_embedding", width)
                : null;
        this.config = config;
    }

    /** The shape that the weights were read with. */
    public TextConfig config() {
        return config;
    }

    /** Embeddings and layers, for hidden states. */
    public TextTransformer transformer() {
        return transformer;
    }

    /**
     * The embedding of each text, not normalised.
     *
     * @param inputIds int64 [batch, contextLength]
     * @return [batch, projectionDim]
     */
    public Tensor embedding(Tensor inputIds) {
        Tensor hidden = transformer.forward(inputIds); // [batch, tokens, width]
        return projection.forward(pooled(hidden, Tensors.onto(inputIds, hidden.device(), ScalarType.Long)));
    }

    /**
     * The embedding of each text by a tower with a class token, not normalised.
     *
     * @param inputIds the tokens that are seen, int64 [batch, tokens]
     * @param places where they stand in their texts, int64 [tokens]
     * @param seesItself whether the class token does
     * @return [batch, projectionDim]
     */
    Tensor embeddingBehind(Tensor inputIds, Tensor places, boolean seesItself) {
        return projection.forward(transformer.tokenBehind(inputIds, places, classToken, seesItself));
    }

    /** Whether a token sees only those before it, so that texts can be run at their own length. */
    public boolean isCausal() {
        return config.transformer().causal();
    }

    /** Where the token stands that becomes the embedding. */
    int pooledPosition(long... ids) {
        int position = 0;
        switch (config.pooling()) {
            case HIGHEST_ID -> {
                for (int i = 1; i < ids.length; i++) {
                    position = ids[i] > ids[position] ? i : position;
                }
            }
            case FIRST_EOS -> {
                while (position < ids.length && ids[position] != config.eosTokenId()) {
                    position++;
                }
                position = position == ids.length ? 0 : position;
            }
            case LAST, CLASS_TOKEN -> position = ids.length - 1;
        }
        return position;
    }

    /** What a causal tower computes once for texts that begin with the same ids. */
    TextTransformer.Prefix prefix(long... ids) {
        return ids.length == 0 ? TextTransformer.Prefix.NONE : transformer.prefix(Tensors.of(ids, 1, ids.length));
    }

    /**
     * The embedding of each text by a causal tower, not normalised.
     *
     * @param inputIds what follows the prefix, int64 [batch, tokens]
     * @param positions of the pooled token in inputIds, int64 [batch]
     * @return [batch, projectionDim]
     */
    Tensor embedding(Tensor inputIds, Tensor positions, TextTransformer.Prefix prefix) {
        return projection.forward(transformer.tokenAt(inputIds, positions, prefix));
    }

    /** The token that stands for the text: [batch, width]. */
    private Tensor pooled(Tensor hidden, Tensor ids) {
        Tensor position = switch (config.pooling()) {
            case HIGHEST_ID -> ids.argmax(new LongOptional(1), false);
            case FIRST_EOS ->
                ids.eq(new Scalar(config.eosTokenId())).to(ScalarType.Int).argmax(new LongOptional(1), false);
            case LAST -> null;
            case CLASS_TOKEN -> throw new IllegalStateException("a class token is no token of a text");
        };
        if (position == null) {
            return hidden.select(1, hidden.size(1) - 1);
        }
        Tensor index = position.view(-1, 1, 1).expand(-1, 1, hidden.size(2));
        return hidden.gather(1, index).select(1, 0);
    }
}
