package dev.diva.feedback;

import dev.diva.diffusion.Condition;
import dev.diva.engine.BatchDraws;
import org.bytedeco.pytorch.Tensor;

/** What a denoiser is told of images, made by a vision tower that may learn. */
public interface ImageCondition {
    /**
     * A batch of images on its way to the denoiser.
     *
     * @param hidden last hidden states of the tower, at least the one that its embedding is made of: [batch, tokens, width]
     * @param condition what the denoiser is told, a row for each image
     */
    record Encoded(Tensor hidden, Condition condition) {}

    /**
     * The condition of a batch of images.
     *
     * @param pixels the tower's, [batch, 3, imageSize, imageSize]
     * @param draws random choices
     */
    Encoded encode(Tensor pixels, BatchDraws draws);

    /** Draws what {@link #encode} would draw, and computes nothing. */
    void skip(BatchDraws draws);

    /** Called when the gradients of the batch of the last {@link #encode} are there. */
    default void done() {}
}
