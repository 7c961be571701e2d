package dev.diva.engine;

import static dev.diva.testing.Close.assertClose;
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

    /** A mask of as many numbers as no whole byte has, too. */
    @ParameterizedTest
    @CsvSource({"1", "7", "8", "63", "64", "1000"})
    void bitsAreTheFlags(long count) {
        try (PointerScope scope = new PointerScope()) {
            Tensor keep = random(count, 5).ge(new Scalar(0));
            Tensor bits = DropoutMask.packed(keep);
            assertThat(bits.numel()).isEqualTo((count + 7) / 8);
            Tensor x = random(count, 6);
            DropoutMask mask = new DropoutMask(bits, PROBABILITY);
            assertClose(mask.appliedTo(x), x.mul(keep), 0, 0);
            Tensor low = x.to(ScalarType.BFloat16);
            assertClose(mask.appliedTo(low).to(ScalarType.Float), low.mul(keep).to(ScalarType.Float), 0, 0);
        }
    }

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
            Tensor keep = random(3 * 5 * 24, 1).ge(new Scalar(-0.7)).view(3, 5, 24);
            List<Tensor> own = inputs(type, isBiasLearning);
            List<Tensor> expected = inputs(type, isBiasLearning);
            Tensor weight = random(16 * 24, 9).view(16, 24).to(type);
            Tensor y = new AdaptedLinear(weight, own.get(3), own.get(1), own.get(2), SCALE)
                    .forward(
                            own.get(0),
                            null,
                            isDropped ? new DropoutMask(DropoutMask.packed(keep), PROBABILITY) : null);
            Tensor right = byAutograd(weight, expected, isDropped ? keep : null, type);
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
            Tensor keep = random(3 * 5 * 24, 1).ge(new Scalar(-0.7)).view(3, 5, 24);
            Tensor weight = random(16 * 24, 9).view(16, 24).to(ScalarType.BFloat16);
            Tensor y = new AdaptedLinear(weight, own.get(3), own.get(1), own.get(2), SCALE)
                    .forward(own.get(0), Pointwise.SILU, new DropoutMask(DropoutMask.packed(keep), PROBABILITY));
            List<Tensor> behind = new ArrayList<>(expected);
            behind.set(0, torch.silu(expected.get(0)));
            Tensor right = byAutograd(weight, behind, keep, ScalarType.BFloat16);
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

    private static Tensor byAutograd(Tensor weight, List<Tensor> inputs, Tensor keep, ScalarType type) {
        Tensor x = inputs.get(0);
        Tensor left = keep == null ? x : x.mul(keep.to(type)).div(new Scalar(1 - PROBABILITY));
        Tensor inner = left.matmul(inputs.get(1).to(type).t());
        return torch.linear(x, weight, new TensorOptional(inputs.get(3).to(type)))
                .add(inner.matmul(inputs.get(2).to(type).t()).mul(new Scalar(SCALE)));
    }

    private static Tensor random(long count, long seed) {
        return RandomStreams.randn(new RandomStreams(seed).stream("adapted"), count);
    }
}
