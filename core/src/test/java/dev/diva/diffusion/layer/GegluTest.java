package dev.diva.diffusion.layer;

import static dev.diva.testing.Close.assertCloseToLargest;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** GEGLU and its own gradient against autograd of the formula in fp64. */
class GegluTest {
    @ParameterizedTest
    @CsvSource({"Float, 1e-6", "BFloat16, 0.01"})
    void valueAndGradientAreThoseOfTheFormula(ScalarType type, double tolerance) {
        try (PointerScope scope = new PointerScope()) {
            torch.manual_seed(3);
            Tensor x = torch.randn(2, 19, 48).to(type).set_requires_grad(true);
            Tensor exact = x.detach().to(ScalarType.Double).set_requires_grad(true);
            Tensor direction = torch.randn(2, 19, 24).to(type);

            Tensor y = Geglu.apply(x.mul(new Scalar(1)));
            Tensor gate = exact.narrow(-1, 24, 24);
            Tensor cumulative =
                    gate.div(new Scalar(Math.sqrt(2))).erf().add(new Scalar(1)).div(new Scalar(2));
            Tensor expected = exact.narrow(-1, 0, 24).mul(gate.mul(cumulative));
            y.mul(direction).sum().backward();
            expected.mul(direction.to(ScalarType.Double)).sum().backward();

            assertCloseToLargest(y.detach(), expected.detach(), tolerance, 0);
            assertCloseToLargest(x.grad(), exact.grad(), tolerance, 0);
        }
    }
}
