package dev.diva.model;

import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Kernels;
import dev.diva.engine.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Tokens to hidden states, under transformers' names: {@code embeddings}, {@code encoder}, {@code final_layer_norm}. The whole of a
 * CLIPTextModel, and the body of the text towers of CLIP and SigLIP.
 */
public final class TextTransformer {
    private final Tensor tokenEmbedding; // [vocabSize, width]
    private final Tensor positionEmbedding; // [positions, width]
    private final TransformerEncoder encoder;
    private final LayerNorm finalLayerNorm;
    private final Config config;

    /**
     * Shape of a text transformer.
     *
     * @param transformer its layers
     * @param vocabSize rows of the token embedding
     * @param maxPositionEmbeddings longest text in tokens
     * @param causal whether a token sees only itself and those before it (CLIP), or all (SigLIP)
     */
    public record Config(TransformerConfig transformer, long vocabSize, long maxPositionEmbeddings, boolean causal) {
        private static final TransformerConfig CLIP_DEFAULTS =
                new TransformerConfig(512, 2048, 12, 8, Activation.QUICK_GELU, 1e-5);

        /** Reads the config of transformers' CLIPTextModel. */
        public static Config clip(ConfigJson json) {
            return new Config(
                    TransformerConfig.read(json, CLIP_DEFAULTS),
                    json.number("vocab_size", 49408),
                    json.number("max_position_embeddings", ClipTokenizer.CONTEXT_LENGTH),
                    true);
        }
    }

    /** @param weights the view under {@code text_model} */
    public TextTransformer(Weights weights, Config config) {
        long width = config.transformer.hiddenSize();
        Weights embeddings = weights.at("embeddings");
        this.tokenEmbedding = embeddings.at("token_embedding").matrix("weight", config.vocabSize, width);
        this.positionEmbedding =
                embeddings.at("position_embedding").matrix("weight", config.maxPositionEmbeddings, width);
        this.encoder = new TransformerEncoder(weights.at("encoder"), config.transformer, config.causal);
        this.finalLayerNorm = new LayerNorm(weights.at("final_layer_norm"), width, config.transformer.layerNormEps());
        this.config = config;
    }

    /** The shape that the weights were read with. */
    public Config config() {
        return config;
    }

    /**
     * Last hidden state after the final norm.
     *
     * @param inputIds int64 [batch, tokens], at most maxPositionEmbeddings tokens
     * @return [batch, tokens, width]
     */
    public Tensor forward(Tensor inputIds) {
        return finalLayerNorm.forward(encoder.forward(embed(inputIds, 0)));
    }

    /** What texts that begin alike share: keys and values of each layer; in the scope of whoever computed it. */
    public static final class Prefix {
        /** Of texts that share nothing. */
        public static final Prefix NONE = new Prefix(List.of(), 0);

        private final List<KeyValues> layers;
        private final long tokens;

        private Prefix(List<KeyValues> layers, long tokens) {
            this.layers = layers;
            this.tokens = tokens;
        }
    }

    /**
     * Computes a prefix once for all texts that begin with it; of a causal transformer, whose first tokens do not see what follows.
     *
     * @param inputIds int64 [1, tokens]
     */
    public Prefix prefix(Tensor inputIds) {
        return new Prefix(encoder.keyValues(embed(inputIds, 0)), inputIds.size(1));
    }

    /**
     * One token of each text, as {@link #forward} of the whole texts gives it, of a causal transformer.
     *
     * @param inputIds what follows the prefix, int64 [batch, tokens]; whatever stands behind the wanted token is not seen by it
     * @param positions of the wanted token in inputIds, int64 [batch]
     * @param prefix what all texts begin with
     * @return [batch, width]
     */
    public Tensor tokenAt(Tensor inputIds, Tensor positions, Prefix prefix) {
        Tensor index = positions.view(-1, 1, 1);
        Tensor hidden = encoder.chosenTokens(
                embed(inputIds, prefix.tokens),
                prefix.layers,
                tokens -> tokens.gather(1, index.expand(-1, 1, tokens.size(2))));
        return finalLayerNorm.forward(hidden).select(1, 0);
    }

    /**
     * {@link #forward} with the attention mask of a padded text: no token sees the padding, not even the padding itself.
     *
     * @param length tokens before the padding, 1 to less than all
     */
    public Tensor masked(Tensor inputIds, long length) {
        return finalLayerNorm.forward(encoder.masked(embed(inputIds, 0), length));
    }

    /** The embeddings and the output of every layer before the final norm: numLayers + 1 tensors of [batch, tokens, width]. */
    public List<Tensor> hiddenStates(Tensor inputIds) {
        return encoder.hiddenStates(embed(inputIds, 0));
    }

    /**
     * A learned token behind each text, as CoCa has it, of a causal transformer.
     *
     * @param inputIds the tokens that are seen, int64 [batch, tokens]
     * @param places of these tokens in the whole text, int64 [tokens]
     * @param token that stands at the last position, [width]
     * @param seesItself whether it is among what it attends to
     * @return [batch, width]
     */
    public Tensor tokenBehind(Tensor inputIds, Tensor places, Tensor token, boolean seesItself) {
        Tensor words = Kernels.embedding(
                        tokenEmbedding, Tensors.onto(inputIds, tokenEmbedding.device(), ScalarType.Long))
                .add(positionEmbedding.index_select(
                        0, Tensors.onto(places, positionEmbedding.device(), ScalarType.Long)));
        Tensor last = token.add(positionEmbedding.select(0, config.maxPositionEmbeddings - 1))
                .to(words.scalar_type())
                .expand(words.size(0), 1, words.size(2));
        Tensor all = torch.cat(new TensorVector(words, last), 1);
        long seen = words.size(1);
        Tensor hidden = seesItself ? encoder.forward(all) : encoder.masked(all, seen);
        return finalLayerNorm.forward(hidden.select(1, seen));
    }

    /** Applies the final norm to one of {@link #hiddenStates}, as models that use the last layer but one do. */
    public Tensor finalNorm(Tensor hidden) {
        return finalLayerNorm.forward(hidden);
    }

    private Tensor embed(Tensor inputIds, long before) {
        long tokens = inputIds.size(1);
        if (before + tokens > config.maxPositionEmbeddings) {
            throw new IllegalArgumentException(
                    before + tokens + " tokens, the model has " + config.maxPositionEmbeddings + " positions");
        }
        Tensor ids = Tensors.onto(inputIds, tokenEmbedding.device(), inputIds.scalar_type());
        return Kernels.embedding(tokenEmbedding, ids).add(positionEmbedding.narrow(0, before, tokens));
    }
}
