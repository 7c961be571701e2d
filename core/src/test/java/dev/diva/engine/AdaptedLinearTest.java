package dev.diva.engine;

import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A frozen matrix with an adapter, against autograd's own operations. */
class AdaptedLinearTest {
    private static final double PROBABILITY = 0.25;
    private static final double SCALE = 1.5;

    @ParameterizedTest
    @CsvSource({
        "Float, true, true",
        "Float, false, true",
        "Float, true, false",
        "BFloat16, true, true",
        "BFloat16, false, false"
    })
    void valuesAndGradientsAreAutograds(ScalarType type, boolean isDropped, boolean isBiasLearning) {
        try (PointerScope scope = new PointerScope()) {
            List<Tensor> own = inputs(type, isBiasLearning);
            DropoutMask mask = isDropped ? mask(own.get(0)) : null;
            List<Tensor> expected = inputs(type, isBiasLearning);
            Tensor weight = random(16 * 24, 9).view(16, 24).to(type);
            Tensor y = new AdaptedLinear(weight, own.get(3), own.get(1), own.get(2), SCALE)
                    .forward(own.get(0), null, mask);
            Tensor right = byAutograd(weight, expected, mask, type);
            double tolerance = type == ScalarType.Float ? 1e-5 : 0.02;
            assertCloseToLargest(y.to(ScalarType.Float), right.to(ScalarType.Float), tolerance, tolerance);
            Tensor outer = random(3 * 5 * 16, 8).view(3, 5, 16).to(type);
            y.mul(outer).sum().backward();
            right.mul(outer).sum().backward();
            for (int i = 0; i < (isBiasLearning ? 4 : 3); i++) {
                assertThat(own.get(i).grad().scalar_type().intern())
                        .isEqualTo(own.get(i).scalar_type().intern());
                assertCloseToLargest(
                        own.get(i).grad().to(ScalarType.Float),
                        expected.get(i).grad().to(ScalarType.Float),
                        tolerance,
                        tolerance);
            }
            assertThat(own.get(3).grad().defined()).isEqualTo(isBiasLearning);
        }
    }

    /** The input of the function takes the place of its value, where a processor has such kernels. */
    @Test
    void aFunctionBeforeTheLayerIsComputedAgain() {
        try (PointerScope scope = new PointerScope()) {
            List<Tensor> own = inputs(ScalarType.BFloat16, true);
            assumeThat(Pointwise.isOnePass(own.get(0))).isTrue();
            List<Tensor> expected = inputs(ScalarType.BFloat16, true);
            DropoutMask mask = mask(own.get(0));
            Tensor weight = random(16 * 24, 9).view(16, 24).to(ScalarType.BFloat16);
            Tensor y = new AdaptedLinear(weight, own.get(3), own.get(1), own.get(2), SCALE)
                    .forward(own.get(0), Pointwise.SILU, mask);
            List<Tensor> behind = new ArrayList<>(expected);
            behind.set(0, torch.silu(expected.get(0)));
            Tensor right = byAutograd(weight, behind, mask, ScalarType.BFloat16);
            assertCloseToLargest(y.to(ScalarType.Float), right.to(ScalarType.Float), 0.02, 0.02);
            y.square().sum().backward();
            right.square().sum().backward();
            for (int i = 0; i < 4; i++) {
                assertCloseToLargest(
                        own.get(i).grad().to(ScalarType.Float),
                        expected.get(i).grad().to(ScalarType.Float),
                        0.02,
                        0.02);
            }
        }
    }

    /** As behind a frozen layer. */
    @Test
    void anInputThatLearnsNothingNeedsNoGradient() {
        try (PointerScope scope = new PointerScope()) {
            List<Tensor> inputs = inputs(ScalarType.Float, false);
            Tensor x = inputs.get(0).detach();
            Tensor y = new AdaptedLinear(random(16 * 24, 9).view(16, 24), null, inputs.get(1), inputs.get(2), SCALE)
                    .forward(x, null, null);
            y.sum().backward();
            assertCloseToLargest(
                    inputs.get(2).grad(),
                    x.view(-1, 24)
                            .matmul(inputs.get(1).detach().t())
                            .sum(0)
                            .mul(new Scalar(SCALE))
                            .expand(16, 4),
                    1e-5,
                    1e-6);
        }
    }

    /** x, down, up, bias. */
    private static List<Tensor> inputs(ScalarType type, boolean isBiasLearning) {
        return List.of(
                random(3 * 5 * 24, 2).view(3, 5, 24).to(type).set_requires_grad(true),
                random(4 * 24, 3).view(4, 24).set_requires_grad(true),
                random(16 * 4, 4).view(16, 4).set_requires_grad(true),
                random(16, 7).set_requires_grad(isBiasLearning));
    }

    private static Tensor byAutograd(Tensor weight, List<Tensor> inputs, DropoutMask mask, ScalarType type) {
        Tensor x = inputs.get(0);
        Tensor left = mask == null ? x : x.mul(mask.flags(x)).div(new Scalar(1 - PROBABILITY));
        Tensor inner = left.matmul(inputs.get(1).to(type).t());
        return torch.linear(x, weight, new TensorOptional(inputs.get(3).to(type)))
                .add(inner.matmul(inputs.get(2).to(type).t()).mul(new Scalar(SCALE)));
    }

    private static DropoutMask mask(Tensor x) {
        return DropoutMask.drawn(new long[] {1, 2, 3}, x, PROBABILITY);
    }

    private static Tensor random(long count, long seed) {
        return RandomStreams.randn(new RandomStreams(seed).stream("adapted"), count);
    }
}
