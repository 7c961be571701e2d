package dev.diva.engine;

import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.diva.testing.OneThread;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(OneThread.class)
class OneDnnGroupNormTest {
    private static final int GROUPS = 4;
    private static final double EPS = 1e-3;

    /** Against libtorch's norm of the same numbers in fp32, within the rounding of bf16. */
    @Test
    void valuesAndGradientsAreThoseOfLibtorch() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = images(3, 12).set_requires_grad(true);
            assumeThat(OneDnn.isFast(x)).isTrue();
            Tensor same = x.detach().to(ScalarType.Float).set_requires_grad(true);
            Tensor weight = random(2, 12);
            Tensor bias = random(3, 12);
            OneDnnGroupNorm norm = new OneDnnGroupNorm(GROUPS, weight, bias, EPS);
            assertThat(norm.isFaster(x)).isTrue();
            Tensor y = Kernels.groupNorm(x, GROUPS, weight, bias, EPS);
            Tensor right =
                    torch.group_norm(same, GROUPS, new TensorOptional(weight), new TensorOptional(bias), EPS, false);
            assertCloseToLargest(y.to(ScalarType.Float), right, 5e-3, 0);
            Tensor outer = images(5, 12);
            y.mul(outer).sum().backward();
            right.mul(outer.to(ScalarType.Float)).sum().backward();
            assertCloseToLargest(x.grad().to(ScalarType.Float), same.grad(), 1e-2, 0);
            Tensor silu = Kernels.siluOfGroupNorm(x.detach(), GROUPS, weight, bias, EPS);
            assertCloseToLargest(silu.to(ScalarType.Float), torch.silu(right), 5e-3, 0);
            assertThat(silu.is_contiguous(MemoryFormat.ChannelsLast)).isTrue();
        }
    }

    /** One thread keeps them all: each is of its own groups, eps and weights. */
    @Test
    void normsOfOneShapeAreKeptApart() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = images(3, 12);
            assumeThat(OneDnn.isFast(x)).isTrue();
            for (long groups : new long[] {GROUPS, 2}) {
                for (double eps : new double[] {EPS, 0.5}) {
                    for (long seed : new long[] {2, 7}) {
                        Tensor weight = random(seed, 12);
                        Tensor bias = random(seed + 1, 12);
                        Tensor y = Kernels.groupNorm(x, groups, weight, bias, eps);
                        Tensor right = torch.group_norm(
                                x.to(ScalarType.Float),
                                groups,
                                new TensorOptional(weight),
                                new TensorOptional(bias),
                                eps,
                                false);
                        assertCloseToLargest(y.to(ScalarType.Float), right, 5e-3, 0);
                    }
                }
            }
        }
    }

    /** One image for a thread, channels apart, a norm that learns: libtorch's. */
    @Test
    void whatItDoesNotServeIsLibtorchs() {
        try (PointerScope scope = new PointerScope()) {
            Tensor weight = random(2, 12);
            Tensor x = images(1, 12);
            OneDnnGroupNorm norm = new OneDnnGroupNorm(GROUPS, weight, random(3, 12), EPS);
            assertThat(norm.isFaster(x.narrow(0, 0, 1))).isFalse();
            assertThat(norm.isFaster(x.contiguous())).isFalse();
            assertThat(norm.isFaster(x.to(ScalarType.Float))).isFalse();
            weight.set_requires_grad(true);
            assertThat(norm.isFaster(x)).isFalse();
        }
    }

    /** bf16 [3, channels, 5, 7], of a mean that is not 0. */
    private static Tensor images(long seed, long channels) {
        return random(seed, 3 * channels * 5 * 7)
                .view(3, channels, 5, 7)
                .add(new Scalar(0.5))
                .to(ScalarType.BFloat16)
                .contiguous(MemoryFormat.ChannelsLast);
    }

    private static Tensor random(long seed, long count) {
        return RandomStreams.randn(new RandomStreams(seed).stream("group norm"), count);
    }
}
