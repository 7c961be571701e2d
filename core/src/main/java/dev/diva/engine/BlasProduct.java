package dev.diva.engine;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Batches of matrix products of fp32 by OpenBLAS, where its kernels are faster than oneDNN's: on processors without AVX-512.
 *
 * <p>OpenBLAS orders the sums of a number by the shape of the product that it is given and by the place in it. So that no matrix depends on
 * the others of its batch, nor on the number of threads, each is cut into pieces by its own shape, and OpenBLAS takes one thread for each.
 */
final class BlasProduct {
    /** Rows from which it pays; fewer are faster laid together, by oneDNN. Texts, which are padded to their neighbours' length, have fewer. */
    private static final long LEAST_ROWS = 512;

    /** Length of sums and of rows of the result from which it pays. */
    private static final long LEAST_LENGTH = 64;

    /** Pieces of a matrix at most, and the least of their longer side: laying out the operands of small ones takes too large a share. */
    private static final long MOST_PIECES = 8;

    private static final long LEAST_SIDE = 256;

    /** Pieces begin at multiples of the tiles that kernels work on. */
    private static final long TILE = 48;

    private static final boolean IS_FASTER = OneDnn.isOfAvx2(ScalarType.Float);

    private final Matrices a;
    private final Matrices b;
    private final Matrices c;
    private final boolean adds; // to c

    private BlasProduct(Matrices a, Matrices b, Matrices c, boolean adds) {
        this.a = a;
        this.b = b;
        this.c = c;
        this.adds = adds;
    }

    /**
     * Whether matrices are multiplied faster by it.
     *
     * @param a [..., m, k], with an axis before m at least: rows of a mere matrix may be of several images
     * @param b [k, n], for all of them
     */
    static boolean isFaster(Tensor a, Tensor b) {
        return IS_FASTER
                && a.dim() > 2
                && a.is_cpu()
                && a.scalar_type().intern() == ScalarType.Float
                && a.size(-2) >= LEAST_ROWS
                && a.size(-1) >= LEAST_LENGTH
                && b.size(-1) >= LEAST_LENGTH
                && isDense(a)
                && isDense(b);
    }

    /** Whether rows or columns lie without gaps, and apart from each other. */
    private static boolean isDense(Tensor x) {
        return (x.stride(-1) == 1 && x.stride(-2) >= x.size(-1)) || (x.stride(-2) == 1 && x.stride(-1) >= x.size(-2));
    }

    /**
     * c = a b + bias in each row.
     *
     * @param bias [n], or null
     * @param c [..., m, n], its rows without gaps
     */
    static void compute(Tensor a, Tensor b, Tensor bias, Tensor c) {
        Tensor filled = bias == null ? c : c.copy_(bias);
        new BlasProduct(Matrices.of(a), Matrices.of(b), Matrices.of(filled), bias != null).compute();
    }

    private void compute() {
        boolean byRows = c.rows > c.columns;
        long side = Math.max(c.rows, c.columns);
        long wanted = Math.max(1, Math.min(MOST_PIECES, side / LEAST_SIDE));
        long step = tiles((side - 1) / wanted + 1);
        int pieces = Math.toIntExact((side - 1) / step + 1);
        int count = Math.multiplyExact(c.count(), pieces);
        BlasThreads.one(() -> Pieces.run(count, i -> {
            long from = i % pieces * step;
            compute(i / pieces, byRows, from, Math.min(step, side - from));
        }));
    }

    private static long tiles(long length) {
        return (length + TILE - 1) / TILE * TILE;
    }

    /** Some rows or columns of a matrix. */
    private void compute(int matrix, boolean byRows, long from, long length) {
        openblas_nolapack.cblas_sgemm(
                CblasRowMajor,
                a.isTurned() ? CblasTrans : CblasNoTrans,
                b.isTurned() ? CblasTrans : CblasNoTrans,
                Math.toIntExact(byRows ? length : c.rows),
                Math.toIntExact(byRows ? c.columns : length),
                Math.toIntExact(a.columns),
                1,
                byRows ? a.at(matrix, from, 0) : a.at(matrix, 0, 0),
                a.stride(),
                byRows ? b.at(matrix, 0, 0) : b.at(matrix, 0, from),
                b.stride(),
                adds ? 1 : 0,
                byRows ? c.at(matrix, from, 0) : c.at(matrix, 0, from),
                c.stride());
    }

    /** The matrices of a tensor [..., rows, columns] where they lie. */
    private record Matrices(FloatPointer start, long[] shape, long[] strides, long rows, long columns) {
        static Matrices of(Tensor x) {
            long[] strides = new long[Math.toIntExact(x.dim())];
            for (int i = 0; i < strides.length; i++) {
                strides[i] = x.stride(i);
            }
            return new Matrices(new FloatPointer(x.data_ptr()), x.shape(), strides, x.size(-2), x.size(-1));
        }

        int count() {
            long count = 1;
            for (int i = 0; i < shape.length - 2; i++) {
                count *= shape[i];
            }
            return Math.toIntExact(count);
        }

        private long rowStride() {
            return strides[strides.length - 2];
        }

        private long columnStride() {
            return strides[strides.length - 1];
        }

        /** Whether columns, not rows, lie without gaps. */
        boolean isTurned() {
            return columnStride() != 1 || rowStride() < columns;
        }

        int stride() {
            return Math.toIntExact(isTurned() ? columnStride() : rowStride());
        }

        FloatPointer at(int matrix, long row, long column) {
            long offset = row * rowStride() + column * columnStride();
            long rest = matrix;
            for (int i = shape.length - 3; i >= 0; i--) {
                offset += rest % shape[i] * strides[i];
                rest /= shape[i];
            }
            return start.getPointer(offset);
        }
    }
}
