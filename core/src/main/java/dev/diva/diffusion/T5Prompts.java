package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Weights;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.checkpoint.format.Unwrapped;
import dev.diva.diffusion.t5.T5Config;
import dev.diva.diffusion.t5.T5Encoder;
import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.FileTokenizer;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** T5 and its tokenizer in a folder of diffusers; both are opened for a prompt and freed after it. */
final class T5Prompts {
    /** The embedding under its second name, as some files hold it. */
    private static final Pattern TWIN = Pattern.compile("encoder\\.embed_tokens\\.weight");

    private static final String ANCHOR = "encoder.final_layer_norm.weight";

    private final T5Config config;
    private final Path weightsFile;
    private final Path tokenizer;
    private final int tokens;
    private final Placement placement;

    /**
     * Looks at the configuration.
     *
     * @param suffix of the folders
     * @param tokens of a prompt, padded or cut
     * @param width of the states that the denoiser attends to
     */
    T5Prompts(ModelFolder folder, Placement placement, String suffix, int tokens, long width) {
        String part = "text_encoder" + suffix;
        ConfigJson json = folder.config(
                part,
                "config.json",
                "it has the T5 that a prompt is told by; without it set recap.text: none, which tells the image alone");
        this.config = T5Config.read(json);
        folder.note(json, T5Config.unknown(json));
        if (config.width() != width) {
            throw new BadInputException(folder.folder() + ": transformer/config.json has joint_attention_dim " + width
                    + ", " + part + "/config.json d_model " + config.width() + ": not parts of one model");
        }
        this.weightsFile = folder.weightsFile(part, "model", "pytorch_model");
        this.tokenizer = folder.tokenizer("tokenizer" + suffix);
        this.tokens = tokens;
        this.placement = placement;
        if (!FileTokenizer.isIn(tokenizer)) {
            throw new BadInputException(folder.folder() + ": no tokenizer" + suffix
                    + "/tokenizer.json; copy it from the original model, or save the tokenizer as a T5TokenizerFast");
        }
    }

    /** Last hidden states after the final norm, fp32 [1, tokens, width], without gradient, owned by the caller's scope. */
    Tensor encode(String prompt) {
        long[] ids;
        try (FileTokenizer pieces = FileTokenizer.open(tokenizer, tokens, config.vocabSize())) {
            ids = pieces.encode(prompt);
        }
        return Scopes.returning(() -> {
            try (NoGradGuard noGrad = new NoGradGuard();
                    Weights weights = Weights.frozen(Unwrapped.of(TensorFile.open(weightsFile), ANCHOR), placement)) {
                weights.ignore(TWIN);
                T5Encoder encoder = new T5Encoder(weights, config);
                weights.finish();
                Tensor states = encoder.forward(
                        Tensors.onto(Tensors.of(ids, 1, ids.length), placement.device(), ScalarType.Long));
                BrokenWeights.requireFinite(states, weights);
                return states.to(ScalarType.Float);
            }
        });
    }
}
