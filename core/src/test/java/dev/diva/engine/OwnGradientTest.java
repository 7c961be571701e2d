package dev.diva.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

/** Operations with a backward of our own, of doubling a tensor of 8 MB. */
class OwnGradientTest {
    private static final int OPERATIONS = 100;

    private static Tensor doubled(Tensor x) {
        Tensor y = OwnGradient.withoutGraph(() -> x.mul(new Scalar(2)));
        return OwnGradient.tie(y, new Tensor[] {x}, (gradient, saved) -> new Tensor[] {gradient.mul(new Scalar(2))});
    }

    @Test
    void inputsMayHaveAnotherTypeThanTheResult() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = torch.randn(3, 5).set_requires_grad(true);
            Tensor y = OwnGradient.withoutGraph(() -> x.to(ScalarType.BFloat16));
            OwnGradient.tie(y, new Tensor[] {x}, (gradient, saved) -> new Tensor[] {gradient.to(ScalarType.Float)})
                    .sum()
                    .backward();
            assertThat(x.grad().eq(new Scalar(1)).all().item_bool()).isTrue();
        }
    }

    @Test
    void gradientsOfAChainAreFreedOnTheWayAndMultiply() {
        try (PointerScope scope = new PointerScope()) {
            Tensor leaf = torch.randn(1 << 21).set_requires_grad(true);
            Tensor x = Scopes.returning(() -> doubled(leaf));
            for (int i = 1; i < OPERATIONS; i++) {
                Tensor input = x;
                x = Scopes.returning(() -> doubled(input));
                input.deallocate(); // nothing keeps a result: doubling needs none
            }
            Tensor loss = x.sum();
            long before = Engine.residentBytes();
            loss.backward();
            // Kept to the end, the gradients of 100 results would be 839 MB, the zeros of 100 inputs as much again.
            assertThat(Engine.residentBytes() - before).isLessThan(400L << 20);
            float factor = Math.scalb(1f, OPERATIONS);
            assertThat(leaf.grad().eq(new Scalar(factor)).all().item_bool()).isTrue();
        }
    }
}
