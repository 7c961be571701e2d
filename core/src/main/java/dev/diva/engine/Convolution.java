package dev.diva.engine;

import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * libtorch's convolution in two dimensions.
 *
 * @param stride on both axes
 * @param padding on both axes
 * @param groups of channels that do not mix
 */
record Convolution(long stride, long padding, long groups) {
    /**
     * Convolves in the type of the input.
     *
     * @param x [images, in, height, width]
     * @param weight [out, in / groups, kernel, kernel]
     * @param bias [out], or null
     * @return [images, out, height', width']
     */
    Tensor forward(Tensor x, Tensor weight, Tensor bias) {
        return isFasterWidened(x, weight, bias) ? widened(x, weight, bias) : plain(x, weight, bias);
    }

    private Tensor plain(Tensor x, Tensor weight, Tensor bias) {
        return torch.conv2d(
                x,
                weight,
                bias == null ? new TensorOptional() : new TensorOptional(bias),
                new long[] {stride, stride},
                new long[] {padding, padding},
                new long[] {1, 1},
                groups);
    }

    /** Whether kernels of fp32 take less time ({@link OneDnn#isFasterWidened}), and neither weight nor bias learns. */
    private boolean isFasterWidened(Tensor x, Tensor weight, Tensor bias) {
        return x.is_cpu()
                && groups == 1
                && OneDnn.isFasterWidened(x.scalar_type())
                && !weight.requires_grad()
                && (bias == null || !bias.requires_grad());
    }

    /** {@link #forward} by frozen weights in fp32, rounded once. */
    Tensor widened(Tensor x, Tensor weight, Tensor bias) {
        return Scopes.returning(() -> {
            long[] shape = x.shape(); // x may be closed before the gradient comes
            Tensor y = OwnGradient.withoutGraph(() -> plain(wide(x), wide(weight), bias == null ? null : wide(bias))
                    .to(x.scalar_type()));
            return OwnGradient.isNeeded(x)
                    ? OwnGradient.tie(
                            y,
                            new Tensor[] {x},
                            (dy, saved) -> new Tensor[] {widenedBackward(dy, saved[0], shape)},
                            weight)
                    : y;
        });
    }

    /** The gradient of an input of that shape by that of the result and frozen weights, in their type, channels last. */
    Tensor backward(Tensor dy, Tensor weight, long... shape) {
        return isFasterWidened(dy, weight, null)
                ? widenedBackward(dy, weight, shape)
                : plainBackward(dy, weight, shape);
    }

    private Tensor widenedBackward(Tensor dy, Tensor weight, long... shape) {
        return plainBackward(wide(dy), wide(weight), shape).to(dy.scalar_type());
    }

    private Tensor plainBackward(Tensor dy, Tensor weight, long... shape) {
        Tensor like = torch.empty(shape, dy.options(), new MemoryFormatOptional(MemoryFormat.ChannelsLast));
        return torch.convolution_backward(
                        dy,
                        like,
                        weight,
                        new long[] {0},
                        new long[] {stride, stride},
                        new long[] {padding, padding},
                        new long[] {1, 1},
                        false,
                        new long[] {0, 0},
                        groups,
                        new BoolPointer(3).put(0, true).put(1, false).put(2, false))
                .get0()
                .detach(); // get0() is a place in the tuple, which goes
    }

    private static Tensor wide(Tensor x) {
        return x.to(ScalarType.Float);
    }
}
