package dev.diva.clip;

import dev.diva.checkpoint.Weights;
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

    /** @param weights the view of the whole checkpoint: reads {@code text_model} and {@code text_projection} */
    public TextTower(Weights weights, TextConfig config) {
        long width = config.transformer().transformer().hiddenSize();
        this.transformer = new TextTransformer(weights.at("text_model"), config.transformer());
        this.projection = config.pooling() == TextConfig.Pooling.LAST
                ? Linear.of(weights.at("text_model").at("head"), width, config.projectionDim())
                : Linear.withoutBias(weights.at("text_projection"), width, config.projectionDim());
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
        return projection.forward(pooled(hidden, inputIds.to(hidden.device(), ScalarType.Long)));
    }

    /** The token that stands for the text: [batch, width]. */
    private Tensor pooled(Tensor hidden, Tensor ids) {
        Tensor position = switch (config.pooling()) {
            case HIGHEST_ID -> ids.argmax(new LongOptional(1), false);
            case FIRST_EOS ->
                ids.eq(new Scalar(config.eosTokenId())).to(ScalarType.Int).argmax(new LongOptional(1), false);
            case LAST -> null;
        };
        if (position == null) {
            return hidden.select(1, hidden.size(1) - 1);
        }
        Tensor index = position.view(-1, 1, 1).expand(-1, 1, hidden.size(2));
        return hidden.gather(1, index).select(1, 0);
    }
}
