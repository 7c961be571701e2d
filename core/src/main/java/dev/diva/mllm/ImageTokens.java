package dev.diva.mllm;

import dev.diva.engine.Scopes;
import org.bytedeco.pytorch.Tensor;

/** An image as a language model sees it: projected once, asked about any number of times. Lives until {@link #close}. */
public final class ImageTokens implements AutoCloseable {
    private final Tensor tokens; // [1, patches, width]

    ImageTokens(Tensor tokens) {
        this.tokens = Scopes.keep(tokens);
    }

    /** [1, patches, width of the language model]. */
    Tensor tensor() {
        return tokens;
    }

    /** Places that it takes in a prompt. */
    public long count() {
        return tokens.size(1);
    }

    @Override
    public void close() {
        Scopes.release(tokens);
    }
}
