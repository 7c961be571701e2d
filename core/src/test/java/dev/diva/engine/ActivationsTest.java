package dev.diva.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.testing.Close;
import dev.diva.testing.Memory;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** y = w x^2 through a block: dy/dx = 2 w x, dy/dw = x^2. */
class ActivationsTest {
    private static final Tensor X = Tensors.of(new float[] {1, -2, 3}, 3);

    @ParameterizedTest
    @EnumSource
    void gradientsOfInputsAndParametersAreThoseOfTheFunction(Activations activations) {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = X.clone().set_requires_grad(true);
            Tensor w = Tensors.of(new float[] {5, 7, 11}, 3).set_requires_grad(true);
            Tensor y = activations.through(in -> in[0].square().mul(w), x);
            Close.assertClose(y, Tensors.of(new float[] {5, 28, 99}, 3), 0, 0);
            y.sum().backward();
            Close.assertClose(x.grad(), Tensors.of(new float[] {10, -28, 66}, 3), 0, 0);
            Close.assertClose(w.grad(), Tensors.of(new float[] {1, 4, 9}, 3), 0, 0);
        }
    }

    @Test
    void blocksInBlocksAreComputedAgainOnceEach() {
        try (PointerScope scope = new PointerScope()) {
            AtomicInteger inner = new AtomicInteger();
            AtomicInteger outer = new AtomicInteger();
            Tensor x = X.clone().set_requires_grad(true);
            Tensor y = Activations.RECOMPUTED.through(
                    in -> {
                        outer.incrementAndGet();
                        return Activations.RECOMPUTED
                                .through(
                                        deep -> {
                                            inner.incrementAndGet();
                                            return deep[0].square();
                                        },
                                        in[0])
                                .mul(in[0]);
                    },
                    x);
            assertThat(outer).hasValue(1);
            y.sum().backward(); // 3 x^2
            assertThat(outer).hasValue(2);
            assertThat(inner).hasValue(3); // forward, outer's recomputation, its own
            Close.assertClose(x.grad(), Tensors.of(new float[] {3, 12, 27}, 3), 0, 0);
        }
    }

    @Test
    void inputsWithoutGraphGetNoGradientAndNothingIsComputedAgainForThem() {
        try (PointerScope scope = new PointerScope()) {
            AtomicInteger calls = new AtomicInteger();
            Tensor frozen = X.clone();
            Tensor x = X.clone().set_requires_grad(true);
            Activations.Block block = in -> {
                calls.incrementAndGet();
                return in[0].mul(in[1]);
            };
            Activations.RECOMPUTED.through(block, frozen, x).sum().backward();
            assertThat(frozen.grad().defined()).isFalse();
            Close.assertClose(x.grad(), frozen, 0, 0);
            assertThat(calls).hasValue(2);
            try (NoGradGuard noGrad = new NoGradGuard()) {
                Activations.RECOMPUTED.through(block, frozen, x);
            }
            assertThat(Activations.RECOMPUTED.through(block, frozen, frozen).requires_grad())
                    .isFalse();
            assertThat(calls).hasValue(4);
        }
    }

    /** y = w x z + 1, of five rows of which two are computed at once, or by two threads side by side: dy/dx = w z, dy/dz = w x, dy/dw the sum of x z over the rows. */
    @ParameterizedTest
    @CsvSource({"1, 3", "2, 4"})
    void rowsOfALargeBatchAreComputedAgainAFewAtATime(int threads, int parts) {
        long width = 1_000_000;
        int before = Engine.threads();
        torch.set_num_threads(threads);
        try (PointerScope scope = new PointerScope()) {
            AtomicInteger calls = new AtomicInteger();
            Tensor numbers = Tensors.of(new float[] {1, 2, 3, 4, 5}, 5, 1);
            Tensor x = numbers.expand(5, width).clone().set_requires_grad(true);
            Tensor z = numbers.neg().expand(5, width).clone().set_requires_grad(true);
            Tensor w = torch.ones(width).mul(new Scalar(3)).set_requires_grad(true);
            Tensor frozen = torch.ones(5, 1);
            Activations.Block block = in -> {
                calls.incrementAndGet();
                return in[0].mul(in[1]).mul(w).add(in[2]);
            };
            Tensor y = Activations.RECOMPUTED.throughRows(block, x, z, frozen);
            assertThat(calls).hasValue(parts);
            Tensor ones = torch.ones(width);
            Close.assertClose(
                    y, numbers.square().mul(new Scalar(-3)).add(frozen).mul(ones), 0, 0);
            y.sum().backward();
            assertThat(calls).hasValue(2 * parts);
            Close.assertClose(x.grad(), numbers.mul(new Scalar(-3)).mul(ones), 0, 0);
            Close.assertClose(z.grad(), numbers.mul(new Scalar(3)).mul(ones), 0, 0);
            Close.assertClose(w.grad(), ones.mul(new Scalar(-55)), 0, 0);
            Activations.KEPT.throughRows(block, x, z, frozen);
            assertThat(calls).hasValue(2 * parts + 1);
        } finally {
            torch.set_num_threads(before);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {4, 2})
    void memoryStaysFlat(long rowsAtOnce) {
        // The input alone, if it leaked, would be 4 MB a step: 80 MB.
        assertThat(Memory.growth(20, () -> {
                    Tensor x = torch.ones(4, 1 << 18).set_requires_grad(true);
                    for (int layer = 0; layer < 4; layer++) {
                        x = Activations.RECOMPUTED.through(
                                in -> in[0].mul(in[0]).sin(), rowsAtOnce, x);
                    }
                    x.sum().backward();
                }))
                .isLessThan(5L << 20);
    }
}
