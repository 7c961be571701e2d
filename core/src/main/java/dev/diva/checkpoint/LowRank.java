package dev.diva.checkpoint;

import dev.diva.engine.OneDnnLinear;
import dev.diva.engine.Precision;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * A trained change of a frozen matrix: W + scale * up * down (LoRA, arXiv 2106.09685). Starts at no change.
 *
 * @param down [rank, in], fp32 master
 * @param up [out, rank], fp32 master, zero at the start
 * @param scale alpha / rank
 * @param dropout what is dropped of the input of {@code down}; the identity for nothing
 */
public record LowRank(Tensor down, Tensor up, double scale, UnaryOperator<Tensor> dropout) {
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
     * Adds to the output of the layer, by libtorch inside the product.
     *
     * @param y output of the frozen layer, [..., out] or [rows, out], which is changed
     * @param x its input, [..., in], in either {@link Precision}
     */
    public Tensor addedTo(Tensor y, Tensor x) {
        Tensor dropped = dropout.apply(x);
        Tensor a = down.to(x.scalar_type());
        Tensor b = up.to(x.scalar_type());
        if (OneDnnLinear.isFasterForFewColumns(dropped)) {
            Tensor inner = OneDnnLinear.forward(dropped, a, null);
            return y.add_(OneDnnLinear.forward(inner, b, null).mul(new Scalar(scale)));
        }
        Tensor inner = torch.linear(dropped.reshape(-1, dropped.size(-1)), a, new TensorOptional());
        // Autograd copies the gradient thrice for what is changed through a view.
        Tensor rows = y.dim() == 2 ? y : y.view(-1, y.size(-1));
        return rows.addmm_(inner, b.t(), new Scalar(1), new Scalar(scale)).view(y.shape());
    }

    /** What is added to the matrix: [out, in], fp32. */
    public Tensor delta() {
        return up.matmul(down).mul(new Scalar(scale));
    }
}
