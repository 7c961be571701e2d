package dev.diva.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/** DiT against the numbers of diffusers. */
class DitTest {
    private static final double TOLERANCE = 1e-4;
    private static final Path PART = Golden.path("dit").resolve("transformer");

    @Test
    void outputForClassesEqualsDiffusers() {
        Golden golden = Golden.of("dit");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = Teachers.weights(PART, Precision.FP32)) {
            Tensor output = dit(weights)
                    .classPrediction(golden.input("z_t"), golden.input("timesteps"), golden.input("class_labels"));
            Close.assertClose(output, golden.expected("sample"), 0, TOLERANCE);
        }
    }

    @Test
    void conditionOfZerosIsNoClassAndGetsAGradient() {
        Golden golden = Golden.of("dit");
        try (PointerScope scope = new PointerScope();
                Weights weights = Teachers.weights(PART, Precision.FP32)) {
            Dit dit = dit(weights);
            Tensor zt = golden.input("z_t");
            Tensor none = Tensors.of(new float[2 * 5 * 24], 2, 5, 24);
            Teachers.Result result = Teachers.differentiate(
                    none, zt, condition -> dit.predict(zt, golden.input("timesteps"), condition));
            // Label 10 of the second sample is no class.
            Close.assertClose(
                    result.prediction().narrow(0, 1, 1), golden.expected("eps").narrow(0, 1, 1), 0, TOLERANCE);
            assertThat(Tensors.toFloats(result.gradient().abs().sum())[0]).isPositive();
        }
    }

    @Test
    void latentsThatPatchesDoNotDivideAreRefused() {
        try (PointerScope scope = new PointerScope();
                Weights weights = Teachers.weights(PART, Precision.FP32)) {
            Dit dit = dit(weights);
            long patch = DitConfig.read(Teachers.config(PART)).patchSize();
            assertThat(9 % patch).isPositive();
            Tensor odd =
                    Tensors.of(new float[Math.toIntExact(dit.latentChannels() * 9 * 9)], 1, dit.latentChannels(), 9, 9);
            assertThatThrownBy(() ->
                            dit.classPrediction(odd, Tensors.of(new long[] {1}, 1), Tensors.of(new long[] {0}, 1)))
                    .hasMessageContaining("multiples of " + patch);
        }
    }

    private static Dit dit(Weights weights) {
        Dit dit = new Dit(weights, DitConfig.read(Teachers.config(PART)));
        weights.finish();
        return dit;
    }
}
