package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.engine.Kernels;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * What a denoiser is told of an image beside its noisy latent and the noise level.
 *
 * @param tokens what it attends to, [batch, tokens, crossAttentionDim], any real type
 * @param vector what is added to the embedding of the noise level: class embeddings, a pooled text; [batch, vectorDim], or null
 */
public record Condition(Tensor tokens, Tensor vector) {
    /** Tokens alone. */
    public static Condition of(Tensor tokens) {
        return new Condition(tokens, null);
    }

    /** Every row so many times over, batch after batch. */
    public Condition repeat(long count) {
        return new Condition(tokens.repeat(count, 1, 1), vector == null ? null : vector.repeat(count, 1));
    }

    /** Rows in the order of an index [count]. */
    public Condition rows(Tensor index) {
        return new Condition(
                Kernels.indexSelect(tokens, 0, index), vector == null ? null : Kernels.indexSelect(vector, 0, index));
    }

    /**
     * Checks the tokens against what a denoiser attends to.
     *
     * @param width of that denoiser's tokens
     * @throws IllegalArgumentException when they have another width or number of axes
     */
    public void requireTokens(long width) {
        if (tokens.dim() != 3 || tokens.size(2) != width) {
            throw new IllegalArgumentException(
                    "condition " + Arrays.toString(tokens.shape()) + ", expected [batch, tokens, " + width + "]");
        }
    }

    /**
     * Checks the vector against what a denoiser takes.
     *
     * @param vectorDim width of that denoiser's vector, 0 where it takes none
     * @throws BadInputException when one has a vector and the other has not, or their widths differ
     */
    public void requireVector(long vectorDim) {
        if (vector == null && vectorDim > 0) {
            throw new BadInputException("the denoiser takes a condition vector of width " + vectorDim
                    + " beside the tokens, and is told none; take an objective that gives one, or another denoiser");
        }
        if (vector != null && vectorDim == 0) {
            throw new BadInputException("the denoiser takes no condition vector, and is told one of width "
                    + vector.size(-1) + "; take an objective of tokens alone, or a denoiser with class embeddings");
        }
        if (vector != null && vector.size(-1) != vectorDim) {
            throw new BadInputException("the denoiser takes a condition vector of width " + vectorDim
                    + ", and is told one of width " + vector.size(-1) + "; they belong to different towers");
        }
    }
}
