package dev.diva.engine;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Convolution to the same size by a frozen kernel as one matrix product (im2col): what lies under the kernel at each pixel is a row. Where
 * few pixels meet many weights, as at the coarse levels of a UNet, a convolution spends most of its time on bringing the weights into an
 * order of its own, in every call; a product reads them as they lie.
 */
final class Im2Col {
    /** Pixels of all images up to which a product is faster: measured with 1,280 channels and AMX, 1.4 to 3.4 times. */
    private static final long MOST_PIXELS = 1024;

    /** The same backwards, where sums over the places of the kernel come on top: 1.6 to 3.3 times. */
    private static final long MOST_PIXELS_BACKWARD = 512;

    /** Weights from which they are beyond a core's cache: 16 MiB of bf16. */
    private static final long FEWEST_WEIGHTS = 1 << 23;

    private final Tensor weight; // [out, kernel, kernel, in]

    private Im2Col(Tensor weight) {
        this.weight = weight;
    }

    /**
     * Whether it serves, and is faster than libtorch's convolution of that padding with a stride of 1.
     *
     * @param x [images, in, height, width]
     * @param weight [out, in / groups, kernel, kernel]
     * @param bias [out], or null
     */
    static boolean isFaster(Tensor x, Tensor weight, Tensor bias, long padding) {
        return x.scalar_type().intern() == ScalarType.BFloat16
                && OneDnn.isFast(x)
                && isServed(x, weight, padding)
                && weight.numel() >= FEWEST_WEIGHTS
                && x.size(0) * x.size(2) * x.size(3) <= MOST_PIXELS
                && !weight.requires_grad()
                && (bias == null || !bias.requires_grad());
    }

    private static boolean isServed(Tensor x, Tensor weight, long padding) {
        return x.size(1) == weight.size(1)
                && weight.size(2) == 2 * padding + 1
                && weight.size(3) == 2 * padding + 1
                && weight.permute(0, 2, 3, 1).is_contiguous();
    }

    /**
     * Convolves.
     *
     * @param x [images, in, height, width]
     * @param weight [out, in, kernel, kernel] with an odd kernel, its channels side by side in memory, frozen
     * @param bias [out], frozen, or null
     * @return [images, out, height, width], its channels side by side in memory
     */
    static Tensor conv2d(Tensor x, Tensor weight, Tensor bias) {
        return Scopes.returning(() -> {
            Im2Col kernel = new Im2Col(weight.permute(0, 2, 3, 1));
            long[] shape = x.shape(); // x may be closed before the gradient comes
            Tensor y = OwnGradient.withoutGraph(() -> kernel.forward(x, bias));
            return OwnGradient.isNeeded(x)
                    ? OwnGradient.tie(
                            y,
                            new Tensor[] {x},
                            (dy, saved) -> new Tensor[] {new Im2Col(saved[0]).backward(dy, shape)},
                            kernel.weight)
                    : y;
        });
    }

    private Tensor forward(Tensor x, Tensor bias) {
        long[] shape = {x.size(0), x.size(2), x.size(3), weight.size(0)};
        Tensor y = torch.empty(shape, x.options(), null);
        Product product = Product.of(rows(x), matrix().t());
        (bias == null ? product : product.plus(bias)).into(y.view(-1, shape[3]));
        return y.permute(0, 3, 1, 2);
    }

    /** What lies under the kernel at each pixel: [images * height * width, kernel * kernel * in]. */
    private Tensor rows(Tensor x) {
        Tensor padded = padded(x.shape(), x.options());
        inside(padded, x.size(2), x.size(3)).copy_(x.permute(0, 2, 3, 1));
        long kernel = weight.size(1);
        long row = padded.stride(1);
        long column = padded.stride(2);
        return padded.as_strided(
                        new long[] {x.size(0), x.size(2), x.size(3), kernel, kernel, x.size(1)},
                        new long[] {padded.stride(0), row, column, row, column, 1})
                .reshape(-1, matrix().size(1));
    }

    /** The gradient of an input of that shape. */
    private Tensor backward(Tensor dy, long... shape) {
        if (dy.size(0) * dy.size(2) * dy.size(3) > MOST_PIXELS_BACKWARD) {
            return new Convolution(1, weight.size(1) / 2, 1).backward(dy, weight.permute(0, 3, 1, 2), shape);
        }
        Tensor rows = torch.empty(
                new long[] {dy.size(0), dy.size(2), dy.size(3), weight.size(1), weight.size(2), shape[1]},
                new TensorOptions(ScalarType.Float),
                null);
        Product.of(OneDnnLinear.rows(dy.permute(0, 2, 3, 1)), matrix()).into(rows.view(-1, matrix().size(1)));
        Tensor sum = padded(shape, rows.options());
        for (long i = 0; i < weight.size(1); i++) {
            for (long j = 0; j < weight.size(2); j++) {
                sum.narrow(1, i, shape[2])
                        .narrow(2, j, shape[3])
                        .add_(rows.select(3, i).select(3, j));
            }
        }
        return inside(sum, shape[2], shape[3]).permute(0, 3, 1, 2).to(dy.scalar_type());
    }

    private Tensor matrix() {
        return weight.view(weight.size(0), -1);
    }

    /** Zeros for images [images, in, height, width] and a rim as wide as half a kernel: [images, rows, columns, in]. */
    private Tensor padded(long[] shape, TensorOptions options) {
        long rim = weight.size(1) - 1;
        return torch.zeros(new long[] {shape[0], shape[2] + rim, shape[3] + rim, shape[1]}, options);
    }

    private Tensor inside(Tensor padded, long height, long width) {
        long padding = weight.size(1) / 2;
        return padded.narrow(1, padding, height).narrow(2, padding, width);
    }
}
