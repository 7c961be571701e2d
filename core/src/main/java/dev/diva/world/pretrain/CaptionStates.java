package dev.diva.world.pretrain;

import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.ClipTokenizer;
import dev.diva.model.TextTransformer;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Captions as the denoiser is told of them: last hidden states of the text encoder of a diffusers folder, which may learn. */
final class CaptionStates implements AutoCloseable {
    private final TextTransformer encoder;
    private final ClipTokenizer tokenizer;

    /**
     * @param weights the view under {@code text_model}
     * @param folder of {@code text_encoder} and {@code tokenizer}
     */
    CaptionStates(Weights weights, Path folder) {
        this.encoder = new TextTransformer(
                weights, TextTransformer.Config.clip(ConfigJson.read(folder.resolve("text_encoder/config.json"))));
        this.tokenizer = ClipTokenizer.open(folder.resolve("tokenizer"), ClipTokenizer.Flavour.TRANSFORMERS_SLOW);
    }

    /** [captions, tokens, width]. */
    Tensor of(List<String> captions) {
        int length = tokenizer.contextLength();
        long[] ids = new long[captions.size() * length];
        for (int i = 0; i < captions.size(); i++) {
            System.arraycopy(tokenizer.encode(captions.get(i)), 0, ids, i * length, length);
        }
        return Scopes.returning(() -> encoder.forward(Tensors.of(ids, captions.size(), length)));
    }

    long width() {
        return encoder.config().transformer().hiddenSize();
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
