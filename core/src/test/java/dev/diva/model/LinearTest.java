package dev.diva.model;

import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.engine.OneDnnLinear;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Products, what follows them and their gradients against fp64. */
class LinearTest {
    private static final long ROWS = 514;
    private static final long IN = 40;
    private static final long OUT = 64; // with the rows enough for every kernel of fp32

    private final Tensor weight = torch.randn(OUT, IN);
    private final Tensor bias = torch.randn(OUT);

    @ParameterizedTest
    @CsvSource({"Float, 1e-6", "BFloat16, 0.01"})
    void withoutGradientTheProductIsThatOfFp64(ScalarType type, double tolerance) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGraph = new AutoGradMode(false)) {
            Linear linear = Linear.of(weight.to(type), bias.to(type));
            Tensor x = torch.randn(2, ROWS / 2, IN).to(type);
            Tensor expected = x.to(ScalarType.Double)
                    .matmul(linearWeight(type).t())
                    .add(bias.to(type).to(ScalarType.Double));
            assertCloseToLargest(linear.forward(x), expected, tolerance, 0);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "Float, QUICK_GELU, 1e-6",
        "Float, GELU, 1e-6",
        "Float, GELU_TANH, 1e-6",
        "Float, SILU, 1e-6",
        "BFloat16, QUICK_GELU, 0.01",
        "BFloat16, GELU, 0.01"
    })
    void activationInsideTheProductIsThatAfterIt(ScalarType type, Activation activation, double tolerance) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGraph = new AutoGradMode(false)) {
            Linear linear = Linear.of(weight.to(type), bias.to(type));
            Tensor x = torch.randn(2, ROWS / 2, IN).div(new Scalar(4)).to(type);
            Tensor product = x.to(ScalarType.Double)
                    .matmul(linearWeight(type).t())
                    .add(bias.to(type).to(ScalarType.Double));
            assertCloseToLargest(linear.forward(x, activation), activation.apply(product), tolerance, 0);
        }
    }

    /** bf16 alone would not tell one GELU from another. */
    @ParameterizedTest
    @EnumSource
    void theFunctionThatAProductAppliesIsTheActivation(Activation activation) {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = torch.randn(ROWS, IN).div(new Scalar(4));
            Tensor product = x.to(ScalarType.Double)
                    .matmul(linearWeight(ScalarType.Float).t())
                    .add(bias.to(ScalarType.Double));
            Tensor fused = OneDnnLinear.activated(x, weight, bias, activation.fused());
            assertCloseToLargest(fused, activation.apply(product), 1e-6, 0);
        }
    }

    /** To the bit, whatever kernel serves images of so many tokens. */
    @ParameterizedTest
    @ValueSource(longs = {50, 257, 600})
    void anImageDoesNotDependOnThoseBesideIt(long tokens) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGraph = new AutoGradMode(false)) {
            Linear linear = Linear.of(torch.randn(100, 300), torch.randn(100));
            Tensor x = torch.randn(5, tokens, 300);
            Tensor alone = linear.forward(x.narrow(0, 3, 1));
            assertThat(linear.forward(x).narrow(0, 3, 1).equal(alone)).isTrue();
        }
    }

    @Test
    void gradientByTheInputOfAWideLayerIsThatOfTheProduct() {
        try (PointerScope scope = new PointerScope()) {
            Tensor w = torch.randn(4096, 4097);
            Tensor x = torch.randn(1, 3, 4097).set_requires_grad(true);
            Tensor dy = torch.randn(1, 3, 4096);
            OneDnnLinear.forward(x, w, null).mul(dy).sum().backward();
            assertCloseToLargest(x.grad(), dy.matmul(w), 1e-5, 0);
        }
    }

    @Test
    void gradientsAreThoseOfTheProduct() {
        try (PointerScope scope = new PointerScope()) {
            Tensor w = weight.clone().set_requires_grad(true);
            Tensor b = bias.clone().set_requires_grad(true);
            Tensor x = torch.randn(2, ROWS / 2, IN).set_requires_grad(true);
            Tensor dy = torch.randn(2, ROWS / 2, OUT);
            Linear.of(w, b).forward(x).mul(dy).sum().backward();
            Tensor rows = dy.reshape(ROWS, OUT).to(ScalarType.Double);
            Tensor inputs = x.detach().reshape(ROWS, IN).to(ScalarType.Double);
            assertCloseToLargest(w.grad(), rows.t().matmul(inputs), 1e-5, 0);
            assertCloseToLargest(b.grad(), rows.sum(0), 1e-5, 0);
            assertCloseToLargest(x.grad().reshape(ROWS, IN), rows.matmul(linearWeight(ScalarType.Float)), 1e-5, 0);
        }
    }

    private Tensor linearWeight(ScalarType type) {
        return weight.to(type).to(ScalarType.Double);
    }
}
