package dev.diva.engine;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * What the machine does in a second, measured with the threads that are set. The shapes are those of ViT-L/14 with 16 images, whose
 * time is nearly all in these two operations.
 */
public final class Speed {
    private static final long TOKENS = 257; // of an image
    private static final long WIDTH = 1024;
    private static final long HEADS = 16;
    private static final int REPEATS = 3;

    private Speed() {}

    /** Linear layer of tokens [16 * 257, 1024] to [16 * 257, 4096] in 10^9 floating point operations a second, best of three. */
    public static double matmul(Precision precision) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            long rows = hasKernel(precision) ? 16 * TOKENS : 16;
            Tensor a = random(precision, rows, WIDTH);
            Tensor weight = random(precision, 4 * WIDTH, WIDTH);
            return best(2.0 * rows * WIDTH * 4 * WIDTH, () -> OneDnnLinear.orLibtorch(a, weight, null));
        }
    }

    /** {@link Int8Linear} of the same shape, rounding of the tokens included, in 10^9 operations a second, best of three. */
    public static double int8() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = random(Precision.INT8, 16 * TOKENS, WIDTH);
            Int8Weight weight = Int8Weight.of(random(Precision.FP32, 4 * WIDTH, WIDTH));
            return best(
                    2.0 * 16 * TOKENS * WIDTH * 4 * WIDTH, () -> Int8Linear.forward(x, weight, null, Pointwise.GELU));
        }
    }

    /** Self-attention of 16 images, 16 heads, 257 tokens, 64 a head, in 10^9 floating point operations a second, best of three. */
    public static double attention(Precision precision) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            long images = hasKernel(precision) ? 16 : 1;
            Tensor q = random(precision, images, HEADS, TOKENS, WIDTH / HEADS);
            Tensor k = random(precision, images, HEADS, TOKENS, WIDTH / HEADS);
            Tensor v = random(precision, images, HEADS, TOKENS, WIDTH / HEADS);
            return best(4.0 * images * TOKENS * TOKENS * WIDTH, () -> Attention.attend(q, k, v, false));
        }
    }

    /** Without one, as for bf16 before AVX-512, the whole shape would take minutes. */
    private static boolean hasKernel(Precision precision) {
        return OneDnn.isFast(precision.dtype());
    }

    private static Tensor random(Precision precision, long... shape) {
        return torch.rand(shape).to(precision.dtype());
    }

    private static double best(double operations, Runnable computation) {
        double best = 0;
        for (int i = 0; i <= REPEATS; i++) { // the first one warms up
            long start = System.nanoTime();
            try (PointerScope scope = new PointerScope()) {
                computation.run();
            }
            if (i > 0) {
                best = Math.max(best, operations / (System.nanoTime() - start)); // per nanosecond: 10^9 a second
            }
        }
        return best;
    }
}
