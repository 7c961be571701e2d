package dev.diva.engine;

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

    /** Numbers whose magnitudes are compared at once: what is made of them stays in a core's cache. */
    private static final long CHUNK = 1 << 19;

    /**
     * Rounds a matrix, halves to even.
     *
     * @param x fp32 or bf16 [rows, width]
     */
    public static Int8Rows of(Tensor x) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            Tensor scales = torch.empty(new long[] {x.size(0), 1}, new TensorOptions(ScalarType.Float), null);
            Tensor values = torch.empty(x.shape(), new TensorOptions(ScalarType.Char), null);
            try (PointerScope scope = new PointerScope()) {
                Tensor rows = (OneDnn.isFast(x) ? x : x.to(ScalarType.Float)).contiguous();
                scales.copy_(largest(rows)).div_(new Scalar(LARGEST)).clamp_min_(new Scalar((double) Float.MIN_NORMAL));
                // rounded by the conversion; a product takes half as long as a quotient
                OneDnn.multiply(rows, scales.reciprocal(), values);
            }
            return new Int8Rows(values, scales);
        }
    }

    /** The largest magnitude of each row, [rows, 1]. */
    private static Tensor largest(Tensor x) {
        Tensor largest = torch.empty(new long[] {x.size(0), 1}, x.options(), null);
        long step = Math.max(1, CHUNK / x.size(1));
        for (long from = 0; from < x.size(0); from += step) {
            try (PointerScope scope = new PointerScope()) {
                long count = Math.min(step, x.size(0) - from);
                largest(x.narrow(0, from, count), largest.narrow(0, from, count));
            }
        }
        return largest;
    }

    /**
     * Without their sign the bits of two numbers are in the order of their magnitudes, and libtorch compares whole numbers several times
     * faster; it takes the signs of several at once.
     */
    private static void largest(Tensor x, Tensor largest) {
        boolean isFloat = x.scalar_type().intern() == ScalarType.Float;
        ScalarType bits = isFloat ? ScalarType.Int : ScalarType.Short;
        long several = Long.BYTES / x.element_size();
        boolean isWhole = x.size(1) % several == 0 && x.storage_offset() % several == 0;
        long withoutSigns = isFloat ? 0x7fff_ffff_7fff_ffffL : 0x7fff_7fff_7fff_7fffL;
        Tensor magnitudes = isWhole
                ? x.view(ScalarType.Long).bitwise_and(new Scalar(withoutSigns)).view(bits)
                : x.view(bits).bitwise_and(new Scalar(isFloat ? Integer.MAX_VALUE : Short.MAX_VALUE));
        torch.amax_out(largest.view(bits), magnitudes, new long[] {1}, true);
    }
}
