package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.ClipTokenizer;
import dev.diva.model.TextTransformer;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Text encoder and tokenizer of a diffusion model, open for many captions. Not thread safe. */
public final class PromptStates implements AutoCloseable {
    private final ClipTokenizer tokenizer;
    private final Weights weights;
    private final TextTransformer encoder;

    PromptStates(ClipTokenizer tokenizer, Weights weights, TextTransformer encoder) {
        this.tokenizer = tokenizer;
        this.weights = weights;
        this.encoder = encoder;
    }

    /**
     * Captions as the denoiser is told of them, with the padding of the folder's tokenizer.
     *
     * @param states last hidden states after the final norm, fp32 [captions, tokens, width]
     * @param ends place of the first end of text in each
     */
    public record Encoded(Tensor states, int[] ends) {}

    /**
     * Encodes captions; what does not fit is cut off.
     *
     * @return owned by the caller's scope, without gradient
     */
    public Encoded of(List<String> captions) {
        int length = tokenizer.contextLength();
        long[] ids = new long[captions.size() * length];
        int[] ends = new int[captions.size()];
        for (int i = 0; i < captions.size(); i++) {
            long[] text = tokenizer.encode(captions.get(i));
            if (text.length != length) {
                throw new BadInputException("caption \"" + captions.get(i) + "\" has " + text.length
                        + " ids, the text encoder takes " + length);
            }
            System.arraycopy(text, 0, ids, i * length, length);
            ends[i] = end(text);
        }
        Tensor states = Scopes.returning(() -> {
            try (NoGradGuard noGrad = new NoGradGuard()) {
                Tensor input = Tensors.onto(
                        Tensors.of(ids, captions.size(), length),
                        weights.placement().device(),
                        ScalarType.Long);
                return encoder.forward(input).to(ScalarType.Float);
            }
        });
        return new Encoded(states, ends);
    }

    private int end(long[] ids) {
        int end = 1;
        while (end < ids.length - 1 && ids[end] != tokenizer.endId()) {
            end++;
        }
        return end;
    }

    /** Tokens of every caption. */
    public int tokens() {
        return tokenizer.contextLength();
    }

    @Override
    public void close() {
        tokenizer.close();
        weights.close();
    }
}
