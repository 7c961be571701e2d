package dev.diva.engine;

import dev.diva.BadInputException;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * y = x W^T + b with products of whole numbers: a scale for each output channel of W, which is rounded once, and one for each token of x,
 * which is rounded in every call. Sums are exact; scales, bias and what follows are fp32 inside the product. Without gradients.
 *
 * <p>A processor needs instructions for it (VNNI, AMX-INT8); {@link #require} tells. On any other the same numbers are multiplied in fp32, slower
 * than fp32 itself.
 */
public final class Int8Linear {
    /** Bits of oneDNN's instruction sets: AVX-VNNI, and VNNI of AVX-512, which comes with AMX too. */
    private static final int VNNI = 0x8 | 0x40;

    private static final boolean IS_FAST = hasInstructions() && hasKernel();

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
     * @param bias fp32 [out], or null
     * @param function of each result, or null for none
     * @return [..., out], in the type of x
     */
    public static Tensor forward(Tensor x, Int8Rows weight, Tensor bias, Pointwise function) {
        return forward(x, rounded(x), weight, bias, function);
    }

    /** The same of tokens that were rounded before, for another layer. */
    public static Tensor forward(Tensor x, Int8Rows rounded, Int8Rows weight, Tensor bias, Pointwise function) {
        return forward(x, rounded, weight, bias, function, IS_FAST);
    }

    /** Tokens [..., in] as the layers multiply them. */
    public static Int8Rows rounded(Tensor x) {
        return Int8Rows.of(x.reshape(-1, x.size(-1)));
    }

    /** @param whole whether whole numbers are multiplied as such, which some processors do slowly */
    static Tensor forward(Tensor x, Int8Rows weight, Tensor bias, Pointwise function, boolean whole) {
        return forward(x, rounded(x), weight, bias, function, whole);
    }

    private static Tensor forward(
            Tensor x, Int8Rows rounded, Int8Rows weight, Tensor bias, Pointwise function, boolean whole) {
        return OwnGradient.withoutGraph(() -> {
            long[] shape = x.shape();
            shape[shape.length - 1] = weight.values().size(0);
            Tensor y = torch.empty(shape, x.options(), null);
            product(rounded, weight, bias, function, whole).into(matrix(y));
            return y;
        });
    }

    private static Product product(Int8Rows x, Int8Rows weight, Tensor bias, Pointwise function, boolean whole) {
        ScalarType type = whole ? ScalarType.Char : ScalarType.Float;
        Product product = Product.of(
                        matrix(x.values().to(type)),
                        matrix(weight.values().to(type).t()))
                .times(matrix(x.scales()))
                .times(matrix(weight.scales().t()));
        Product biased = bias == null ? product : product.added(matrix(bias));
        return function == null ? biased : biased.then(function);
    }

    /** As a matrix of four axes: only among so many does oneDNN have fast kernels for a factor of each row. */
    private static Tensor matrix(Tensor x) {
        return x.view(1, 1, -1, x.size(-1));
    }

    private static boolean hasInstructions() {
        return (dnnl.get_effective_cpu_isa().value & VNNI) != 0;
    }

    private static boolean hasKernel() {
        try (PointerScope scope = new PointerScope()) {
            Int8Rows rows = Int8Rows.of(torch.zeros(64, 64));
            Tensor y = torch.empty(new long[] {64, 64}, new TensorOptions(Precision.INT8.dtype()), null);
            return product(rows, rows.byColumns(), torch.zeros(64), Pointwise.GELU, true)
                    .isFast(matrix(y));
        }
    }
}
