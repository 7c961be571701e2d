package dev.diva.engine;

import java.util.Arrays;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * fp32 products by oneDNN's BLAS call, one matrix after the other. With AVX2 alone it is faster than oneDNN's primitive: see
 * docs/performance.md. The order of a row's sums may depend on the number of rows.
 */
final class Sgemm {
    /** Multiplications of a matrix from which threads share it rather than the matrices of a batch. */
    private static final long SHARED = 1 << 24;

    /** Multiplications of a single matrix from which its time is worth sums in another order. */
    private static final long SINGLE = 1 << 20;

    private Sgemm() {}

    /** Whether it serves these matrices [..., m, k], [..., k, n] and [..., m, n], and is faster than the primitive. */
    static boolean isFaster(Tensor a, Tensor b, Tensor result) {
        return a.is_cpu()
                && a.scalar_type().intern() == ScalarType.Float
                && OneDnn.isOfAvx2(ScalarType.Float)
                && Matrix.of(a) != null
                && Matrix.of(b) != null
                && result.scalar_type().intern() == ScalarType.Float
                && Matrix.of(result) != null
                && result.size(-1) * result.size(-2) * a.size(-1) >= (result.dim() == 2 ? SINGLE : SHARED);
    }

    /** result = alpha a b + beta result. */
    static void multiply(double alpha, Tensor a, Tensor b, double beta, Tensor result) {
        Matrix sum = Matrix.of(result);
        if (sum.isTransposed) {
            multiply(alpha, b.transpose(-1, -2), a.transpose(-1, -2), beta, result.transpose(-1, -2));
            return;
        }
        try (PointerScope scope = new PointerScope()) {
            Matrix left = Matrix.of(a);
            Matrix right = Matrix.of(b);
            FloatPointer x = a.data_ptr_float();
            FloatPointer y = b.data_ptr_float();
            FloatPointer z = result.data_ptr_float();
            long[] batch = Arrays.copyOf(result.shape(), Math.toIntExact(result.dim() - 2));
            for (long i = 0; i < product(batch); i++) {
                int status = dnnl.dnnl_sgemm(
                        left.order(),
                        right.order(),
                        result.size(-2),
                        result.size(-1),
                        a.size(-1),
                        (float) alpha,
                        x.position(offset(a, batch, i)),
                        left.stride,
                        y.position(offset(b, batch, i)),
                        right.stride,
                        (float) beta,
                        z.position(offset(result, batch, i)),
                        sum.stride);
                if (status != dnnl.dnnl_success) {
                    throw new IllegalStateException(
                            "product of " + a.sizes() + " and " + b.sizes() + ": status " + status);
                }
            }
        }
    }

    private static long product(long... sizes) {
        return Arrays.stream(sizes).reduce(1, (x, y) -> x * y);
    }

    /** Where the matrix of a number begins, counted through a batch row by row. */
    private static long offset(Tensor x, long[] batch, long number) {
        long offset = 0;
        long rest = number;
        for (int axis = batch.length - 1; axis >= 0; axis--) {
            offset += rest % batch[axis] * x.stride(axis);
            rest /= batch[axis];
        }
        return offset;
    }

    /** How the last two axes of a tensor lie in memory. */
    private record Matrix(boolean isTransposed, long stride) {
        /** Null where numbers of neither axis lie side by side. */
        static Matrix of(Tensor x) {
            long rows = x.size(-2);
            long columns = x.size(-1);
            if (x.stride(-1) == 1 && (x.stride(-2) >= columns || rows == 1)) {
                return new Matrix(false, Math.max(x.stride(-2), columns));
            }
            if (x.stride(-2) == 1 && (x.stride(-1) >= rows || columns == 1)) {
                return new Matrix(true, Math.max(x.stride(-1), rows));
            }
            return null;
        }

        byte order() {
            return (byte) (isTransposed ? 'T' : 'N');
        }
    }
}
