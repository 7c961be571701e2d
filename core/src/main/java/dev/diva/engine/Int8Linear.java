package dev.diva.engine;

import dev.diva.BadInputException;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * y = x W^T + b with products of whole numbers: a scale for each output channel of W, which is rounded once, and one for each token of x,
 * which is rounded in every call. Sums are exact; scales and what follows are fp32 inside the product, to which the bias comes in the type
 * of y. Without gradients.
 *
 * <p>A processor needs instructions for it (VNNI, AMX-INT8); {@link #require} tells. Any other computes the same a hundred times slower.
 */
public final class Int8Linear {
    /** Bits of oneDNN's instruction sets: AVX-VNNI, and VNNI of AVX-512, which comes with AMX too. */
    private static final int VNNI = 0x8 | 0x40;

    private static final boolean IS_FAST = hasInstructions() && Int8Weight.hasKernel();

    private Int8Linear() {}

    /** Whether this processor multiplies whole numbers faster than real ones. */
    public static boolean isFast() {
        return IS_FAST;
    }

    /**
     * Refuses int8 where it crawls.
     *
     * @throws BadInputException when the processor has no instructions for it
     */
    public static void require() {
        if (!IS_FAST) {
            throw new BadInputException(
                    "precision int8: this processor has no instructions for it (AVX512-VNNI, AVX-VNNI or"
                            + " AMX-INT8) and would crawl; take "
                            + (Precision.fastest() == Precision.BF16 ? "bf16 or fp32" : "fp32"));
        }
    }

    /**
     * Applies the layer to the last axis.
     *
     * @param x fp32 or bf16 [..., in]
     * @param weight [out, in] with a scale for each output channel
     * @param bias [out], or null
     * @param function of each result, or null for none
     * @return [..., out], in the type of x
     */
    public static Tensor forward(Tensor x, Int8Weight weight, Tensor bias, Pointwise function) {
        return forward(x, rounded(x), weight, bias, function);
    }

    /** The same of tokens that were rounded before, for another layer. */
    public static Tensor forward(Tensor x, Int8Rows rounded, Int8Weight weight, Tensor bias, Pointwise function) {
        return OwnGradient.withoutGraph(() -> {
            long[] shape = x.shape();
            shape[shape.length - 1] = weight.scales().size(0);
            Tensor y = torch.empty(shape, x.options(), null);
            weight.multiply(rounded, bias, function, y.view(-1, y.size(-1)));
            return y;
        });
    }

    /** Tokens [..., in] as the layers multiply them. */
    public static Int8Rows rounded(Tensor x) {
        return Int8Rows.of(x.reshape(-1, x.size(-1)));
    }

    private static boolean hasInstructions() {
        return (dnnl.get_effective_cpu_isa().value & VNNI) != 0;
    }
}
