package dev.diva.diffusion.t5;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Kernels;
import dev.diva.engine.Scopes;
import dev.diva.model.RmsNorm;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Token ids to hidden states, under the names of transformers' T5EncoderModel (Raffel et al. 2020; version 1.1). */
public final class T5Encoder {
    private final Tensor embedding; // [vocabSize, width]
    private final List<T5Block> blocks = new ArrayList<>();
    private final RelativePositions positions;
    private final RmsNorm norm;

    /** Reads every tensor. The caller ends with {@link Weights#finish} and closes the weights. */
    public T5Encoder(Weights weights, T5Config config) {
        Weights encoder = weights.at("encoder");
        Weights table = weights.has("shared.weight") ? weights.at("shared") : encoder.at("embed_tokens");
        this.embedding = table.matrix("weight", config.vocabSize(), config.width());
        for (int i = 0; i < config.layers(); i++) {
            blocks.add(new T5Block(encoder.at("block", i), config));
        }
        Weights first = encoder.at("block", 0).at("layer", 0).at("SelfAttention");
        this.positions = new RelativePositions(first.at("relative_attention_bias"), config);
        this.norm = new RmsNorm(encoder.at("final_layer_norm"), config.width(), config.normEps());
    }

    /**
     * Last hidden states after the final norm; every token sees every other, padding as well.
     *
     * @param ids int64 [batch, tokens]
     * @return [batch, tokens, width]
     */
    public Tensor forward(Tensor ids) {
        return Scopes.returning(() -> {
            Tensor bias = positions.bias(ids.size(1));
            Tensor x = Kernels.embedding(embedding, ids);
            for (T5Block block : blocks) {
                Tensor in = x;
                x = Scopes.returning(() -> block.forward(in, bias));
                in.close();
            }
            return norm.forward(x);
        });
    }
}
