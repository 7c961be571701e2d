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

class Im2ColTest {
    /** Against libtorch's convolution: images smaller than the kernel, oblong ones, a kernel of one; more pixels than go back by a product. */
    @ParameterizedTest
    @CsvSource({"2, 3, 5, 4, 6, 3", "1, 4, 2, 1, 1, 3", "3, 2, 3, 2, 5, 5", "2, 5, 4, 3, 3, 1", "9, 2, 3, 8, 8, 3"})
    void valuesAndGradientsAreThoseOfAConvolution(
            long images, long in, long out, long height, long width, long kernel) {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = random(1, images, in, height, width).set_requires_grad(true);
            Tensor same = x.detach().clone().set_requires_grad(true);
            Tensor weight = random(2, out, in, kernel, kernel).contiguous(MemoryFormat.ChannelsLast);
            Tensor bias = random(3, out);
            Tensor y = Im2Col.conv2d(x, weight, bias);
            Tensor right = convolution(same, weight, new TensorOptional(bias), kernel / 2);
            assertCloseToLargest(y, right, 1e-5, 0);
            assertThat(y.is_contiguous(MemoryFormat.ChannelsLast)).isTrue();
            Tensor outer = random(4, images, out, height, width);
            y.mul(outer).sum().backward();
            right.mul(outer).sum().backward();
            assertCloseToLargest(x.grad(), same.grad(), 1e-5, 0);
            assertCloseToLargest(
                    Im2Col.conv2d(same.detach(), weight, null),
                    convolution(same.detach(), weight, new TensorOptional(), kernel / 2),
                    1e-5,
                    0);
        }
    }

    /** At the coarse level of a UNet, and nowhere that a convolution is faster or learns. */
    @Test
    void fewPixelsMeetManyFrozenWeights() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = torch.empty(1, 1024, 4, 4).to(ScalarType.BFloat16);
            Tensor weight =
                    torch.zeros(1024, 1024, 3, 3).to(ScalarType.BFloat16).contiguous(MemoryFormat.ChannelsLast);
            assertThat(Im2Col.isFaster(x, weight, null, 1)).isEqualTo(OneDnn.isFast(x));
            assertThat(Im2Col.isFaster(x, weight, null, 0)).isFalse();
            assertThat(Im2Col.isFaster(x, weight.contiguous(), null, 1)).isFalse();
            assertThat(Im2Col.isFaster(x.expand(65, -1, -1, -1), weight, null, 1))
                    .isFalse();
            assertThat(Im2Col.isFaster(x, weight.narrow(0, 0, 512), null, 1)).isFalse();
            assertThat(Im2Col.isFaster(x, weight.set_requires_grad(true), null, 1))
                    .isFalse();
        }
    }

    private static Tensor convolution(Tensor x, Tensor weight, TensorOptional bias, long padding) {
        return torch.conv2d(x, weight, bias, new long[] {1, 1}, new long[] {padding, padding}, new long[] {1, 1}, 1);
    }

    private static Tensor random(long seed, long... shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return RandomStreams.randn(new RandomStreams(seed).stream("im2col"), count)
                .view(shape);
    }
}
