package dev.diva.engine;

import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConvolutionTest {
    @BeforeEach
    void seed() {
        torch.manual_seed(5);
    }

    /** Of numbers of bf16 in fp64, which libtorch convolves itself; one rounding to bf16 is 0.004. */
    @ParameterizedTest
    @CsvSource({"3, 1, 1, 1", "3, 2, 1, 1", "1, 1, 0, 1", "4, 4, 0, 1", "3, 1, 1, 3", "5, 1, 0, 1"})
    void widenedValuesAndGradientsAreThoseOfFp64(long kernel, long stride, long padding, long groups) {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = random(2, 6, 9, 12).contiguous(MemoryFormat.ChannelsLast).set_requires_grad(true);
            Tensor weight = random(9, 6 / groups, kernel, kernel);
            Tensor bias = random(9);
            Convolution convolution = new Convolution(stride, padding, groups);
            Tensor y = convolution.widened(x, weight, bias);
            Tensor exact = doubles(x).set_requires_grad(true);
            Tensor right = convolution.forward(exact, doubles(weight), doubles(bias));
            assertCloseToLargest(y, right, 0.004, 0);
            assertThat(y.scalar_type().intern()).isEqualTo(ScalarType.BFloat16);
            Tensor outer = random(y.shape());
            y.mul(outer).sum().backward();
            right.mul(doubles(outer)).sum().backward();
            assertCloseToLargest(x.grad(), exact.grad(), 0.004, 0);
            assertCloseToLargest( // however it is made here
                    convolution.backward(outer, weight, x.shape()), exact.grad(), 0.02, 0);
            assertCloseToLargest(
                    convolution.widened(x.detach(), weight, null),
                    convolution.forward(doubles(x), doubles(weight), null),
                    0.004,
                    0);
        }
    }

    /** On every processor: what learns has its gradient from libtorch. */
    @Test
    void weightsThatLearnHaveTheirGradient() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = random(1, 3, 5, 5);
            Tensor weight = random(2, 3, 3, 3).set_requires_grad(true);
            Tensor bias = random(2).set_requires_grad(true);
            new Convolution(1, 1, 1).forward(x, weight, bias).sum().backward();
            assertThat(bias.grad()
                            .eq(torch.full(new long[] {2}, new Scalar(25.0)))
                            .all()
                            .item_bool())
                    .isTrue();
            assertThat(weight.grad().defined()).isTrue();
        }
    }

    private static Tensor doubles(Tensor x) {
        return x.detach().to(ScalarType.Double);
    }

    private static Tensor random(long... shape) {
        return torch.randn(shape).to(ScalarType.BFloat16);
    }
}
