package dev.diva.language;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Activations;
import dev.diva.engine.Kernels;
import dev.diva.engine.Placement;
import dev.diva.engine.Tensors;
import dev.diva.model.Linear;
import dev.diva.model.RmsNorm;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Llama's decoder: {@link #embed}, {@link #forward}, {@link #logits}. Gradients flow through all three to whatever is trained, adapters
 * included.
 */
public final class Llama {
    private final LlamaConfig config;
    private final Placement placement;
    private final Tensor embedding; // [vocabSize, width]
    private final List<LlamaLayer> layers = new ArrayList<>();
    private final RmsNorm norm;
    private final Linear head;

    /** @param weights reads {@code model.embed_tokens}, {@code model.layers.N}, {@code model.norm} and {@code lm_head} */
    public Llama(Weights weights, LlamaConfig config) {
        this.config = config;
        this.placement = weights.placement();
        Weights model = weights.at("model");
        this.embedding = model.at("embed_tokens").matrix("weight", config.vocabSize(), config.hiddenSize());
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            layers.add(new LlamaLayer(model.at("layers", i), config, i));
        }
        this.norm = new RmsNorm(model.at("norm"), config.hiddenSize(), config.rmsNormEps());
        boolean isTied = config.tiedEmbeddings() && !weights.has("lm_head.weight");
        this.head = isTied
                ? Linear.of(embedding, null)
                : Linear.withoutBias(weights.at("lm_head"), config.hiddenSize(), config.vocabSize());
    }

    /** The shape that the weights were read with. */
    public LlamaConfig config() {
        return config;
    }

    /** Where and in which precision it computes. */
    public Placement placement() {
        return placement;
    }

    /** Token ids, int64 [...], to what enters the first layer, [..., width]. */
    public Tensor embed(Tensor ids) {
        return Kernels.embedding(embedding, Tensors.onto(ids, placement.device(), ScalarType.Long))
                .to(placement.precision().dtype());
    }

    /**
     * All layers and the final norm. Each token sees itself and what is before it; padding behind the last token that counts changes nothing.
     *
     * @param embedded [batch, tokens, width]
     * @param cache of one sequence, of which these tokens are the next and which then remembers them; null for whole sequences
     * @return [batch, tokens, width]
     */
    public Tensor forward(Tensor embedded, KeyValueCache cache) {
        long count = embedded.size(1);
        long from = 0;
        if (cache != null) {
            cache.reserve(count);
            from = cache.length();
        }
        Rotation rotation = Rotation.of(config, from, count, embedded);
        Activations activations = cache == null ? placement.activations() : Activations.KEPT;
        Tensor hidden = embedded;
        for (LlamaLayer layer : layers) {
            hidden = activations.through(inputs -> layer.forward(inputs[0], rotation, cache), hidden);
        }
        if (cache != null) {
            cache.advance(count);
        }
        return norm.forward(hidden);
    }

    /** Scores of the next token: [..., width] of {@link #forward} to fp32 [..., vocabSize]. */
    public Tensor logits(Tensor hidden) {
        return head.forward(hidden).to(ScalarType.Float);
    }
}
