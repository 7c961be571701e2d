package dev.diva.engine;

import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

class OneDnnLayerNormTest {
    private static final double EPS = 1e-3;

    /** Against libtorch's norm of the same numbers in fp32, within the rounding of bf16; rows with gaps between them too, whoever computes. */
    @Test
    void valuesAreThoseOfLibtorch() {
        try (PointerScope scope = new PointerScope()) {
            Tensor wider = random(1, 2, 5, 40).to(ScalarType.BFloat16);
            Tensor withGaps = wider.narrow(2, 0, 24);
            assumeThat(OneDnn.isFast(wider)).isTrue();
            Tensor weight = random(2, 24);
            Tensor bias = random(3, 24);
            OneDnnLayerNorm norm = new OneDnnLayerNorm(weight, bias, EPS);
            assertThat(norm.isFaster(withGaps.contiguous())).isTrue();
            assertThat(norm.isFaster(withGaps)).isFalse();
            Tensor right = torch.layer_norm(
                    withGaps.to(ScalarType.Float),
                    new long[] {24},
                    new TensorOptional(weight),
                    new TensorOptional(bias),
                    EPS,
                    false);
            for (Tensor x : new Tensor[] {withGaps, withGaps.contiguous()}) {
                Tensor y = Kernels.layerNorm(x, 24, weight, bias, EPS);
                assertThat(y.scalar_type().intern()).isEqualTo(ScalarType.BFloat16);
                assertCloseToLargest(y.to(ScalarType.Float), right, 5e-3, 0);
            }
        }
    }

    /** fp32, a gradient, no weights: libtorch's. */
    @Test
    void whatItDoesNotServeIsLibtorchs() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = random(1, 2, 24);
            Tensor weight = random(2, 24);
            OneDnnLayerNorm norm = new OneDnnLayerNorm(weight, random(3, 24), EPS);
            assertThat(norm.isFaster(x)).isFalse();
            assertThat(norm.isFaster(x.to(ScalarType.BFloat16).set_requires_grad(true)))
                    .isFalse();
            assertThat(new OneDnnLayerNorm(null, null, EPS).isFaster(x.to(ScalarType.BFloat16)))
                    .isFalse();
            weight.set_requires_grad(true);
            assertThat(norm.isFaster(x.to(ScalarType.BFloat16))).isFalse();
        }
    }

    private static Tensor random(long seed, long... shape) {
        torch.manual_seed(seed);
        return torch.randn(shape);
    }
}
