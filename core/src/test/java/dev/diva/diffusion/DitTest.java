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
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** DiT against the numbers of diffusers. */
@Tag("golden")
class DitTest {
    private final Golden golden = Golden.of("dit");
    private final Path part = golden.file("transformer");

    @Test
    void outputForClassesEqualsDiffusers() {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = Teachers.weights(part, Precision.FP32)) {
            Tensor output = dit(weights)
                    .classPrediction(golden.input("z_t"), golden.input("timesteps"), golden.input("class_labels"));
            Close.assertClose(output, golden.expected("sample"), 0, golden.tolerance());
        }
    }

    @Test
    void conditionOfZerosIsNoClassAndGetsAGradient() {
        try (PointerScope scope = new PointerScope();
                Weights weights = Teachers.weights(part, Precision.FP32)) {
            Dit dit = dit(weights);
            Tensor zt = golden.input("z_t");
            Tensor none = torch.zeros(zt.size(0), 5, dit.crossAttentionDim());
            Teachers.Result result = Teachers.differentiate(
                    none, zt, condition -> dit.predict(zt, golden.input("timesteps"), condition));
            long[] labels = Tensors.toLongs(golden.input("class_labels"));
            long noClass = DitConfig.read(Teachers.config(part)).classes();
            assertThat(labels).contains(noClass);
            for (int i = 0; i < labels.length; i++) {
                if (labels[i] == noClass) {
                    Close.assertClose(
                            result.prediction().narrow(0, i, 1),
                            golden.expected("eps").narrow(0, i, 1),
                            0,
                            golden.tolerance());
                }
            }
            assertThat(Tensors.toFloats(result.gradient().abs().sum())[0]).isPositive();
        }
    }

    @Test
    void latentsThatPatchesDoNotDivideAreRefused() {
        try (PointerScope scope = new PointerScope();
                Weights weights = Teachers.weights(part, Precision.FP32)) {
            Dit dit = dit(weights);
            long patch = DitConfig.read(Teachers.config(part)).patchSize();
            assertThat(patch).isGreaterThan(1);
            Tensor odd = torch.zeros(1, dit.latentChannels(), patch + 1, patch + 1);
            assertThatThrownBy(() ->
                            dit.classPrediction(odd, Tensors.of(new long[] {1}, 1), Tensors.of(new long[] {0}, 1)))
                    .hasMessageContaining("multiples of " + patch);
        }
    }

    private Dit dit(Weights weights) {
        Dit dit = new Dit(weights, DitConfig.read(Teachers.config(part)));
        weights.finish();
        return dit;
    }
}
