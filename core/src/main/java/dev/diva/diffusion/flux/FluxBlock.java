package dev.diva.diffusion.flux;

import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/** A block over condition tokens followed by patches. */
interface FluxBlock {
    /**
     * Computes the block.
     *
     * @param x [batch, tokens, width]
     * @param vector [batch, width]
     * @param texts how many of the tokens are the condition's, which come first
     * @param turn what positions do to queries and keys
     * @return as x
     */
    Tensor forward(Tensor x, Tensor vector, long texts, UnaryOperator<Tensor> turn);
}
