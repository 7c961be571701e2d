package dev.diva.language;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Kernels;
import dev.diva.engine.Scopes;
import dev.diva.model.RmsNorm;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Gemma 2 without its head (arXiv 2408.00118), under the names of transformers' Gemma2Model: token ids to hidden states. */
public final class Gemma {
    private final GemmaConfig config;
    private final ScalarType dtype;
    private final Tensor embedding; // [vocabSize, width]
    private final List<GemmaLayer> layers = new ArrayList<>();
    private final RmsNorm norm;

    /** Reads every tensor. The caller ends with {@link Weights#finish} and closes the weights. */
    public Gemma(Weights weights, GemmaConfig config) {
        LlamaConfig shape = config.shape();
        this.config = config;
        this.dtype = weights.placement().precision().dtype();
        this.embedding = weights.at("embed_tokens").matrix("weight", shape.vocabSize(), shape.hiddenSize());
        for (int i = 0; i < shape.numHiddenLayers(); i++) {
            layers.add(new GemmaLayer(weights.at("layers", i), config, i));
        }
        this.norm = RmsNorm.aroundOne(weights.at("norm"), shape.hiddenSize(), shape.rmsNormEps());
    }

    /**
     * Last hidden states after the final norm; each token sees itself and what is before it.
     *
     * @param ids int64 [batch, tokens], no more tokens than the window
     * @return [batch, tokens, width]
     */
    public Tensor forward(Tensor ids) {
        if (ids.size(1) > config.window()) {
            throw new IllegalArgumentException(ids.size(1) + " tokens, a window has " + config.window());
        }
        return Scopes.returning(() -> {
            Tensor x = Kernels.embedding(embedding, ids).to(dtype).mul(new Scalar(Math.sqrt((double)
                    config.shape().hiddenSize())));
            Rotation rotation = Rotation.of(config.shape(), 0, ids.size(1), x);
            for (GemmaLayer layer : layers) {
                Tensor in = x;
                x = Scopes.returning(() -> layer.forward(in, rotation));
                in.close();
            }
            return norm.forward(x);
        });
    }
}
