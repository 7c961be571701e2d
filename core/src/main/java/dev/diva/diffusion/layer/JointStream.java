package dev.diva.diffusion.layer;

import org.bytedeco.pytorch.Tensor;

/** The tokens of a {@link JointBlock} that have weights of their own: those of the condition, or the patches. */
public interface JointStream {
    /**
     * Begins with the tokens of a batch.
     *
     * @param x [batch, tokens, width]
     * @param vector [batch, width], before its SiLU
     */
    Pass pass(Tensor x, Tensor vector);

    /** The tokens on their way through the block. */
    interface Pass {
        /** What they bring to the attention of both streams. */
        Attended attended();

        /**
         * The tokens behind the block.
         *
         * @param taken what they take from the attention, before its last layer; [batch, tokens, width]
         * @return as taken
         */
        Tensor rest(Tensor taken);
    }
}
