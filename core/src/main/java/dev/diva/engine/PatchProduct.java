package dev.diva.engine;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Convolution by kernels that do not overlap, as the patch embedding of a vision transformer, as one matrix product of the patches. libtorch
 * takes several times as long, and a third of a second more for its first convolution.
 */
final class PatchProduct {
    private PatchProduct() {}

    /**
     * Whether it serves: in bf16 where no gradient follows; in fp32 the order of sums stays that of the reference.
     *
     * @param x [images, in, height, width]
     * @param weight [out, in / groups, kernel, kernel]
     * @param bias [out], or null
     */
    static boolean isFaster(Tensor x, Tensor weight, Tensor bias, long stride, long padding) {
        return x.scalar_type().intern() == ScalarType.BFloat16
                && OneDnn.isFast(x)
                && x.size(1) == weight.size(1)
                && padding == 0
                && stride > 1
                && weight.size(2) == stride
                && weight.size(3) == stride
                && !(bias == null ? OwnGradient.isNeeded(x, weight) : OwnGradient.isNeeded(x, weight, bias));
    }

    /**
     * Convolves.
     *
     * @return [images, out, height / kernel, width / kernel], its channels side by side in memory
     */
    static Tensor conv2d(Tensor x, Tensor weight, Tensor bias) {
        return OwnGradient.withoutGraph(() -> {
            long side = weight.size(2);
            long rows = x.size(2) / side;
            long columns = x.size(3) / side;
            Tensor whole = x.narrow(2, 0, rows * side).narrow(3, 0, columns * side);
            Tensor pixels = whole.reshape(x.size(0), x.size(1), rows, side, columns, side);
            // In the order of the kernels, which then stay where they are.
            Tensor channelsLast = weight.permute(0, 2, 3, 1);
            boolean isChannelsLast = channelsLast.is_contiguous();
            Tensor patches = isChannelsLast ? pixels.permute(0, 2, 4, 3, 5, 1) : pixels.permute(0, 2, 4, 1, 3, 5);
            Tensor kernels = (isChannelsLast ? channelsLast : weight).reshape(weight.size(0), -1);
            return OneDnnLinear.forward(patches.reshape(x.size(0), rows * columns, -1), kernels, bias)
                    .view(x.size(0), rows, columns, weight.size(0))
                    .permute(0, 3, 1, 2);
        });
    }
}
