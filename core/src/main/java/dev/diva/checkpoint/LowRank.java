package dev.diva.checkpoint;

import dev.diva.engine.AdaptedLinear;
import dev.diva.engine.DropoutMask;
import dev.diva.engine.Pointwise;
import dev.diva.engine.Precision;
import dev.diva.engine.Scopes;
import java.util.function.Function;
import java.util.function.Predicate;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * A trained change of a frozen matrix: W + scale * up * down (LoRA, arXiv 2106.09685). Starts at no change.
 *
 * @param down [rank, in], fp32 master
 * @param up [out, rank], fp32 master, zero at the start
 * @param scale alpha / rank
 * @param dropout gives what is kept of the input of {@code down}, or null for all
 */
public record LowRank(Tensor down, Tensor up, double scale, Function<Tensor, DropoutMask> dropout) {
    /**
     * Which matrices get one.
     *
     * @param rank at least 1
     * @param alpha numerator of the scale
     * @param targets full names of layers, without {@code .weight}
     * @param generator draws {@code down} in the order in which layers are built, Kaiming-uniform as torch's linear layer
     * @param biases whether the biases of these layers learn as well (peft's {@code lora_only})
     * @param dropout of what enters the adapters, or null
     */
    public record Plan(
            int rank,
            double alpha,
            Predicate<String> targets,
            Generator generator,
            boolean biases,
            AdapterDropout dropout) {
        /** Adapters alone, without dropout. */
        public Plan(int rank, double alpha, Predicate<String> targets, Generator generator) {
            this(rank, alpha, targets, generator, false, null);
        }

        public Plan {
            if (rank < 1) {
                throw new IllegalArgumentException("rank < 1: " + rank);
            }
        }
    }

    /**
     * Applies the layer, changed.
     *
     * @param x [..., in], in either {@link Precision}
     * @param weight W, [out, in], in the type of x
     * @param bias [out], or null
     * @param before a function of x that comes first, in one pass; or null
     * @return [..., out]
     */
    public Tensor forward(Tensor x, Tensor weight, Tensor bias, Pointwise before) {
        return Scopes.returning(
                () -> new AdaptedLinear(weight, bias, down, up, scale).forward(x, before, dropout.apply(x)));
    }

    /** What is added to the matrix: [out, in], fp32. */
    public Tensor delta() {
        return up.matmul(down).mul(new Scalar(scale));
    }
}
