package dev.diva.engine;

import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PatchProductTest {
    /** Against libtorch's convolution: oblong images, sides that are no multiple of the kernel, kernels in either layout. */
    @ParameterizedTest
    @CsvSource({
        "1, 3, 8, 12, 4, Contiguous",
        "2, 3, 9, 7, 2, ChannelsLast",
        "2, 1, 6, 6, 3, Contiguous",
        "1, 4, 5, 5, 5, ChannelsLast"
    })
    void valuesAreThoseOfAConvolution(long images, long in, long height, long width, long kernel, MemoryFormat layout) {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = random(1, images, in, height, width);
            Tensor weight = random(2, 6, in, kernel, kernel).contiguous(layout);
            Tensor bias = random(3, 6);
            assertCloseToLargest(
                    PatchProduct.conv2d(x, weight, bias), convolution(x, weight, new TensorOptional(bias)), 1e-5, 0);
            assertCloseToLargest(
                    PatchProduct.conv2d(x, weight, null), convolution(x, weight, new TensorOptional()), 1e-5, 0);
        }
    }

    /** Kernels that overlap or learn, and images that do, are convolved. */
    @Test
    void itServesKernelsSideBySideWithoutAGradient() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = random(1, 1, 3, 8, 8).to(ScalarType.BFloat16);
            Tensor weight = random(2, 6, 3, 4, 4).to(ScalarType.BFloat16);
            assertThat(PatchProduct.isFaster(x.to(ScalarType.Float), weight, null, 4, 0))
                    .isFalse();
            assertThat(PatchProduct.isFaster(x, weight, null, 4, 0)).isEqualTo(OneDnn.isFast(x));
            assertThat(PatchProduct.isFaster(x, weight, null, 2, 0)).isFalse();
            assertThat(PatchProduct.isFaster(x, weight, null, 4, 1)).isFalse();
            assertThat(PatchProduct.isFaster(x, weight, random(3, 6).set_requires_grad(true), 4, 0))
                    .isFalse();
            assertThat(PatchProduct.isFaster(x, weight.set_requires_grad(true), null, 4, 0))
                    .isFalse();
        }
    }

    private static Tensor convolution(Tensor x, Tensor weight, TensorOptional bias) {
        long side = weight.size(2);
        return torch.conv2d(x, weight, bias, new long[] {side, side}, new long[] {0, 0}, new long[] {1, 1}, 1);
    }

    private static Tensor random(long seed, long... shape) {
        torch.manual_seed(seed);
        return torch.randn(shape);
    }
}
