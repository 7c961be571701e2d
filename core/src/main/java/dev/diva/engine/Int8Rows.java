package dev.diva.engine;

import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A matrix as whole numbers of -127 to 127, symmetric about zero, and what one of them is worth in each row: the largest magnitude of the
 * row / 127. A number is at most half of that away from what it was.
 *
 * @param values int8 [rows, width]
 * @param scales fp32 [rows, 1], above zero; NaN or infinite for a row that holds such a number
 */
public record Int8Rows(Tensor values, Tensor scales) {
    private static final double LARGEST = 127;

    /**
     * Rounds a matrix, halves to even.
     *
     * @param x fp32 or bf16 [rows, width]
     */
    public static Int8Rows of(Tensor x) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            Tensor scales = Scopes.returning(() -> scales(x));
            Tensor values = torch.empty(x.shape(), new TensorOptions(ScalarType.Char), null);
            try (PointerScope scope = new PointerScope()) {
                divide(
                        OneDnn.isFast(x)
                                ? x.contiguous()
                                : x.to(ScalarType.Float).contiguous(),
                        scales,
                        values);
            }
            return new Int8Rows(values, scales);
        }
    }

    /** Without their sign the bits of two numbers are in the order of their magnitudes, and libtorch compares whole numbers several times faster. */
    private static Tensor scales(Tensor x) {
        boolean isFloat = x.scalar_type().intern() == ScalarType.Float;
        Tensor bits = x.view(isFloat ? ScalarType.Int : ScalarType.Short);
        Tensor largest = bits.bitwise_and(new Scalar(isFloat ? Integer.MAX_VALUE : Short.MAX_VALUE))
                .amax(new long[] {1}, true);
        return largest.view(x.scalar_type())
                .to(ScalarType.Float)
                .div_(new Scalar(LARGEST))
                .clamp_min_(new Scalar((double) Float.MIN_NORMAL));
    }

    /** In one pass, rounded by the conversion. */
    private static void divide(Tensor x, Tensor scales, Tensor values) {
        binary.primitive_desc division = new binary.primitive_desc(
                OneDnn.CPU,
                dnnl.algorithm.binary_div,
                OneDnn.description(x),
                OneDnn.description(scales),
                OneDnn.description(values),
                new primitive_attr(),
                false);
        OneDnn.run(
                new binary(division),
                new IntMemoryMap()
                        .put(dnnl.DNNL_ARG_SRC_0, OneDnn.memory(x))
                        .put(dnnl.DNNL_ARG_SRC_1, OneDnn.memory(scales))
                        .put(dnnl.DNNL_ARG_DST, OneDnn.memory(values)));
    }
}
