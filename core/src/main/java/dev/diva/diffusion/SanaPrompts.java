package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Weights;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.checkpoint.format.Unwrapped;
import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.language.Gemma;
import dev.diva.language.GemmaConfig;
import dev.diva.model.FileTokenizer;
import java.nio.file.Path;
import java.util.Locale;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Sana: the states of Gemma 2, in lower case, without the padding, which the denoiser does not see. Gemma is looked for once a prompt's
 * states are asked for; it is opened for a prompt and freed after it.
 *
 * @param folder the model's
 * @param width of the states that the denoiser attends to
 */
record SanaPrompts(ModelFolder folder, Placement placement, long width) implements TeacherPrompts {
    /** Of a prompt; diffusers cuts to as many. */
    private static final int TOKENS = 300;

    private static final String ANCHOR = "embed_tokens.weight";

    @Override
    public Condition encode(String prompt) {
        ConfigJson json = folder.config(
                "text_encoder",
                "config.json",
                "it has the Gemma 2 that a prompt is told by; without it set recap.text: none, which tells the image alone");
        GemmaConfig config = config(json);
        Path weightsFile = folder.weightsFile("text_encoder", "model", "pytorch_model");
        long[] ids = ids(prompt, config);
        return Condition.of(Scopes.returning(() -> {
            try (NoGradGuard noGrad = new NoGradGuard();
                    Weights weights = Weights.frozen(Unwrapped.of(TensorFile.open(weightsFile), ANCHOR), placement)) {
                Gemma gemma = new Gemma(weights, config);
                weights.finish();
                Tensor states = gemma.forward(
                        Tensors.onto(Tensors.of(ids, 1, ids.length), placement.device(), ScalarType.Long));
                BrokenWeights.requireFinite(states, weights);
                return states.to(ScalarType.Float);
            }
        }));
    }

    private GemmaConfig config(ConfigJson json) {
        GemmaConfig config = GemmaConfig.read(json);
        folder.note(json, GemmaConfig.unknown(json));
        if (config.shape().hiddenSize() != width) {
            throw new BadInputException(folder.folder() + ": transformer/config.json has caption_channels " + width
                    + ", text_encoder/config.json hidden_size "
                    + config.shape().hiddenSize() + ": not parts of one model");
        }
        if (config.window() < TOKENS) {
            throw json.wrong("sliding_window", TOKENS + " or more, the tokens of a prompt");
        }
        return config;
    }

    private long[] ids(String prompt, GemmaConfig config) {
        Path tokenizer = folder.tokenizer("tokenizer");
        if (!FileTokenizer.isIn(tokenizer)) {
            throw new BadInputException(folder.folder() + ": no tokenizer/tokenizer.json; copy it from the original"
                    + " model, or save the tokenizer as a GemmaTokenizerFast");
        }
        try (FileTokenizer pieces =
                FileTokenizer.openUnpadded(tokenizer, TOKENS, config.shape().vocabSize())) {
            return pieces.encodeUnpadded(prompt.toLowerCase(Locale.ROOT).strip());
        }
    }

    @Override
    public Tensor vector(String prompt) {
        return null;
    }
}
