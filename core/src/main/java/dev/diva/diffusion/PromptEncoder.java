package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.checkpoint.format.Unwrapped;
import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.ClipTokenizer;
import dev.diva.model.HuggingFaceKeys;
import dev.diva.model.TextTransformer;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Text encoder and tokenizer of Stable Diffusion. A run encodes its prompt once, so that both are opened for a prompt and freed after
 * it; what can be checked without reading the tensors is checked in the constructor.
 */
final class PromptEncoder {
    /** Buffers that old versions of transformers saved among the weights. */
    private static final Pattern BUFFERS = Pattern.compile(".*\\.position_ids");

    /** Where no projection stands beside it, the encoder lies at the root, whatever its names begin with. */
    private static final String ANCHOR = "embeddings.token_embedding.weight";

    private final TextTransformer.Config config;
    private final long projectionDim; // of the pooled text, where a projection stands beside the encoder
    private final long endId; // as the config has it
    private final Path weightsFile;
    private final Path tokenizer;
    private final Placement placement;

    PromptEncoder(ModelFolder folder, Placement placement) {
        this(folder, placement, "");
    }

    /** @param suffix of the folders; {@code _2} for the second of SDXL */
    PromptEncoder(ModelFolder folder, Placement placement, String suffix) {
        String part = "text_encoder" + suffix;
        ConfigJson json = folder.config(part, "config.json", "a text-to-image model has a text encoder");
        json.requireOnly(HuggingFaceKeys.ONLY);
        this.config = TextTransformer.Config.clip(json);
        folder.note(json, HuggingFaceKeys.unknown(json));
        this.projectionDim = json.number("projection_dim", 512);
        this.endId = json.number("eos_token_id", 49407);
        this.weightsFile = folder.weightsFile(part, "model", "pytorch_model");
        this.tokenizer = folder.tokenizer("tokenizer" + suffix);
        this.placement = placement;
        if (!ClipTokenizer.isIn(tokenizer)) {
            throw new BadInputException(folder.folder() + ": no tokenizer" + suffix
                    + "/vocab.json with merges.txt: a text-to-image model has a tokenizer");
        }
    }

    long width() {
        return config.transformer().hiddenSize();
    }

    long projectionDim() {
        return projectionDim;
    }

    /**
     * What denoisers are told by an encoder that others stand beside.
     *
     * @param penultimate the output of the last layer but one, without a norm, fp32 [1, tokens, width]
     * @param vector the text's end in the last layer, normed and perhaps projected, fp32 [1, width]
     */
    record Pooled(Tensor penultimate, Tensor vector) {}

    /**
     * Encodes a prompt for one of several encoders.
     *
     * @param projects whether a projection stands beside the encoder, and makes the vector
     */
    Pooled pooling(String prompt, boolean projects) {
        long[] ids = ids(prompt);
        TensorSource stored = TensorFile.open(weightsFile);
        try (NoGradGuard noGrad = new NoGradGuard();
                Weights weights = Weights.frozen(projects ? stored : Unwrapped.of(stored, ANCHOR), placement)) {
            Tensor projection =
                    projects ? weights.at("text_projection").matrix("weight", projectionDim, width()) : null;
            TextTransformer encoder = encoder(weights);
            Tensor input = Tensors.onto(Tensors.of(ids, 1, ids.length), placement.device(), ScalarType.Long);
            List<Tensor> hidden = encoder.hiddenStates(input);
            Tensor states = hidden.get(hidden.size() - 2).to(ScalarType.Float);
            BrokenWeights.requireFinite(states, weights);
            Tensor end = encoder.finalNorm(hidden.get(hidden.size() - 1)).select(1, end(ids));
            Tensor vector = projects ? end.to(projection.scalar_type()).matmul(projection.t()) : end;
            return new Pooled(states, vector.to(ScalarType.Float));
        }
    }

    /** Where transformers looks for the end: 2 is not its id, but means the first of the highest ids. */
    private int end(long... ids) {
        long wanted = endId == 2 ? LongStream.of(ids).max().orElseThrow() : endId;
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] == wanted) {
                return i;
            }
        }
        return 0;
    }

    /** Last hidden state after the final norm, fp32 [1, tokens, width]. */
    Tensor encode(String prompt) {
        Ids ids = idsWithLength(prompt);
        return encode(ids.padded, ids.padded.length);
    }

    /** The same where the text encoder is told which tokens are padding, which Stable Diffusion itself does not tell it. */
    Tensor encodeMasked(String prompt) {
        Ids ids = idsWithLength(prompt);
        return encode(ids.padded, ids.length);
    }

    /** For many captions. */
    PromptStates open() {
        ClipTokenizer pieces = openTokenizer();
        Weights weights = Weights.frozen(Unwrapped.of(TensorFile.open(weightsFile), ANCHOR), placement);
        try (PointerScope scope = new PointerScope()) {
            return new PromptStates(pieces, weights, encoder(weights));
        } catch (RuntimeException e) {
            pieces.close();
            weights.close();
            throw e;
        }
    }

    private TextTransformer encoder(Weights weights) {
        weights.ignore(BUFFERS);
        TextTransformer encoder = new TextTransformer(weights.has(ANCHOR) ? weights : weights.at("text_model"), config);
        weights.finish();
        return encoder;
    }

    private Tensor encode(long[] ids, int seen) {
        TensorSource source = Unwrapped.of(TensorFile.open(weightsFile), ANCHOR);
        return Scopes.returning(() -> {
            try (NoGradGuard noGrad = new NoGradGuard();
                    Weights weights = Weights.frozen(source, placement)) {
                TextTransformer encoder = encoder(weights);
                Tensor input = Tensors.onto(Tensors.of(ids, 1, ids.length), placement.device(), ScalarType.Long);
                Tensor states = seen < ids.length ? encoder.masked(input, seen) : encoder.forward(input);
                BrokenWeights.requireFinite(states, weights);
                return states.to(ScalarType.Float);
            }
        });
    }

    /** Ids of a prompt with start, end and the padding that the tokenizer's files name. */
    long[] ids(String prompt) {
        return idsWithLength(prompt).padded;
    }

    /** Ids, and how many of them are no padding. */
    private record Ids(long[] padded, int length) {}

    private Ids idsWithLength(String prompt) {
        try (ClipTokenizer pieces = openTokenizer()) {
            long[] ids = pieces.encode(prompt);
            int length = 1;
            while (length < ids.length && ids[length - 1] != pieces.endId()) {
                length++;
            }
            return new Ids(ids, length);
        }
    }

    private ClipTokenizer openTokenizer() {
        ClipTokenizer pieces = ClipTokenizer.open(tokenizer, ClipTokenizer.Flavour.TRANSFORMERS_SLOW);
        if (pieces.vocabSize() > config.vocabSize() || pieces.contextLength() > config.maxPositionEmbeddings()) {
            pieces.close();
            throw new BadInputException(tokenizer + ": " + pieces.vocabSize() + " ids, " + pieces.contextLength()
                    + " a text; the text encoder beside it has " + config.vocabSize() + " and "
                    + config.maxPositionEmbeddings() + ": not its tokenizer");
        }
        return pieces;
    }
}
