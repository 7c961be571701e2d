package dev.diva.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

/** Operations with a backward of our own, of doubling a tensor of 16 MB. */
class OwnGradientTest {
    private static final int OPERATIONS = 20;

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
            Tensor leaf = torch.randn(1 << 22).set_requires_grad(true);
            Tensor x = leaf;
            for (int i = 0; i < OPERATIONS; i++) {
                Tensor input = x;
                x = Scopes.returning(() -> doubled(input));
            }
            Tensor loss = x.sum();
            long before = Engine.residentBytes();
            loss.backward();
            // Kept to the end, the gradients of 20 results and the zeros of 20 inputs would be 670 MB.
            assertThat(Engine.residentBytes() - before).isLessThan(150L << 20);
            float factor = 1 << OPERATIONS;
            assertThat(leaf.grad().eq(new Scalar(factor)).all().item_bool()).isTrue();
        }
    }
}
