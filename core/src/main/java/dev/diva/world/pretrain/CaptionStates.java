package dev.diva.world.pretrain;

import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.ClipTokenizer;
import dev.diva.model.TextTransformer;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** Captions as the denoiser is told of them: last hidden states of the frozen text encoder of a diffusers folder. */
final class CaptionStates implements AutoCloseable {
    private final Weights weights;
    private final TextTransformer encoder;
    private final ClipTokenizer tokenizer;

    CaptionStates(Path folder, Placement placement) {
        Path text = folder.resolve("text_encoder");
        this.weights = Weights.frozen(SafetensorsFile.open(text.resolve("model.safetensors")), placement);
        this.encoder = new TextTransformer(
                weights.at("text_model"), TextTransformer.Config.clip(ConfigJson.read(text.resolve("config.json"))));
        weights.finish();
        this.tokenizer = ClipTokenizer.open(folder.resolve("tokenizer"), ClipTokenizer.Flavour.TRANSFORMERS_SLOW);
    }

    /** [captions, tokens, width], without gradient. */
    Tensor of(List<String> captions) {
        int length = tokenizer.contextLength();
        long[] ids = new long[captions.size() * length];
        for (int i = 0; i < captions.size(); i++) {
            System.arraycopy(tokenizer.encode(captions.get(i)), 0, ids, i * length, length);
        }
        return Scopes.returning(() -> {
            try (NoGradGuard noGrad = new NoGradGuard()) {
                return encoder.forward(Tensors.of(ids, captions.size(), length));
            }
        });
    }

    @Override
    public void close() {
        tokenizer.close();
        weights.close();
    }
}
