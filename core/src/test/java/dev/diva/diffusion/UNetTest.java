package dev.diva.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.Teachers.Result;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import dev.diva.testing.Memory;
import dev.diva.testing.OneThread;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** UNets of every Stable Diffusion against the numbers of diffusers. */
@ExtendWith(OneThread.class)
class UNetTest {
    private static final double GRADIENT_RTOL = 1e-3;
    private static final double GRADIENT_ATOL = 1e-6;

    /** What PyTorch 2.10's own bf16 autocast reaches on this tiny random UNet, whose norms amplify every rounding. */
    private static final double AUTOCAST_COSINE = 0.975;

    @Tag("golden")
    @ParameterizedTest
    @CsvSource({"sd21-unet, sd21/unet", "sd15-unet, sd15-unet/unet"})
    void predictionLossAndGradientEqualDiffusers(String name, String model) {
        Golden golden = Golden.of(name);
        Path part = Golden.path(model);
        try (PointerScope scope = new PointerScope();
                Weights weights = Teachers.weights(part, Precision.FP32)) {
            UNet unet = Teachers.unet(weights, part);
            for (String tokens : lengths(golden)) {
                Result result = Teachers.differentiate(
                        golden.input("context_" + tokens),
                        golden.input("noise"),
                        condition -> unet.predict(golden.input("z_t"), golden.input("timesteps"), condition));
                assertEqual(golden, result, tokens);
            }
        }
    }

    @Tag("golden")
    @Test
    void sdxlWithAddedConditionEqualsDiffusers() {
        Golden golden = Golden.of("sdxl-unet");
        try (PointerScope scope = new PointerScope();
                Weights weights = Teachers.weights(golden.file("unet"), Precision.FP32)) {
            UNet unet = Teachers.unet(weights, golden.file("unet"));
            UNet.Added added = new UNet.Added(golden.input("text_embeds"), golden.input("time_ids"));
            for (String tokens : lengths(golden)) {
                Result result = Teachers.differentiate(
                        golden.input("context_" + tokens),
                        golden.input("noise"),
                        condition -> unet.predict(golden.input("z_t"), golden.input("timesteps"), condition, added));
                assertEqual(golden, result, tokens);
            }
        }
    }

    @Test
    void sdxlWithoutAddedConditionTakesNoTextAndTheSizeOfTheImage() {
        Golden golden = Golden.resource("sdxl-unet");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = Teachers.weights(golden.file("unet"), Precision.FP32)) {
            UNet unet = Teachers.unet(weights, golden.file("unet"));
            Tensor zt = golden.input("z_t");
            Tensor timesteps = golden.input("timesteps");
            Tensor condition = golden.input("context_43");
            UNet.Added sameAsDefault = new UNet.Added(
                    Tensors.of(new float[32], 2, 16),
                    Tensors.of(new float[] {128, 128, 0, 0, 128, 128, 128, 128, 0, 0, 128, 128}, 2, 6));
            Close.assertClose(
                    unet.predict(zt, timesteps, condition),
                    unet.predict(zt, timesteps, condition, sameAsDefault),
                    0,
                    1e-7);
        }
    }

    @Tag("golden")
    @Test
    void everyStageEqualsDiffusers() {
        Golden golden = Golden.of("sd21-unet");
        Path part = Golden.path("sd21/unet");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = Teachers.weights(part, Precision.FP32)) {
            UNet unet = Teachers.unet(weights, part);
            Map<String, float[]> stages = new LinkedHashMap<>();
            unet.predict(
                    golden.input("z_t").narrow(0, 0, 1),
                    golden.input("timesteps").narrow(0, 0, 1),
                    new UNet.Conditions(golden.input("context_77").narrow(0, 0, 1), null, null),
                    (name, output) -> stages.put(name, Tensors.toFloats(output)));
            assertThat(stages.keySet())
                    .containsExactlyInAnyOrderElementsOf(Golden.endings(golden.expected(), "stage."));
            stages.forEach((name, output) -> {
                float[] expected = Tensors.toFloats(golden.expected("stage." + name));
                Close.assertClose(output, expected, 0, golden.tolerance() * Math.max(1, largest(expected)));
            });
        }
    }

    @Tag("golden")
    @Test
    void velocityPredictionEqualsDiffusers() {
        Golden golden = Golden.of("sd21-v-prediction");
        Path part = Golden.path("sd21/unet");
        NoiseSchedule schedule =
                new NoiseSchedule(NoiseConfig.read(ConfigJson.read(golden.file("scheduler/scheduler_config.json"))));
        try (PointerScope scope = new PointerScope();
                Weights weights = Teachers.weights(part, Precision.FP32)) {
            UNet unet = Teachers.unet(weights, part);
            Tensor timesteps = golden.input("timesteps");
            Tensor zt = schedule.addNoise(golden.input("z_0"), golden.input("noise"), timesteps);
            Tensor target = schedule.target(golden.input("z_0"), golden.input("noise"), timesteps);
            Close.assertClose(zt, golden.expected("z_t"), 0, 2e-6);
            Close.assertClose(target, golden.expected("v_target"), 0, 2e-6);
            Result result = Teachers.differentiate(
                    golden.input("context_77"), target, condition -> unet.predict(zt, timesteps, condition));
            Close.assertCloseToLargest(
                    result.prediction(), golden.expected("v_77"), golden.tolerance(), golden.tolerance());
            Close.assertClose(result.loss(), golden.expected("loss_77"), 0, golden.tolerance());
            Close.assertCloseToLargest(result.gradient(), golden.expected("dcontext_77"), GRADIENT_RTOL, GRADIENT_ATOL);
        }
    }

    @Test
    void oddLatentSizesComeBackInTheirOwnSize() {
        Golden golden = Golden.resource("sd21-unet");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = Teachers.weights(Teachers.unetOf("sd21"), Precision.FP32)) {
            UNet unet = Teachers.unet(weights, Teachers.unetOf("sd21"));
            Tensor zt = golden.input("z_t").narrow(2, 0, 13).narrow(3, 0, 10);
            assertThat(unet.predict(zt, golden.input("timesteps"), golden.input("context_43"))
                            .shape())
                    .containsExactly(2, 4, 13, 10);
        }
    }

    @Tag("golden")
    @Test
    void sampleOfABatchEqualsTheSampleAlone() {
        Golden golden = Golden.of("sd15-unet");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = Teachers.weights(golden.file("unet"), Precision.FP32)) {
            UNet unet = Teachers.unet(weights, golden.file("unet"));
            Tensor alone = unet.predict(
                    golden.input("z_t").narrow(0, 1, 1),
                    golden.input("timesteps").narrow(0, 1, 1),
                    golden.input("context_77").narrow(0, 1, 1));
            Close.assertCloseToLargest(
                    alone, golden.expected("eps_77").narrow(0, 1, 1), golden.tolerance(), golden.tolerance());
        }
    }

    @Test
    void bf16StaysCloseToFp32() {
        Golden golden = Golden.resource("sd21-unet");
        try (PointerScope scope = new PointerScope();
                Weights weights = Teachers.weights(Teachers.unetOf("sd21"), Precision.BF16)) {
            UNet unet = Teachers.unet(weights, Teachers.unetOf("sd21"));
            Result result = Teachers.differentiate(
                    golden.input("context_77"),
                    golden.input("noise"),
                    condition -> unet.predict(golden.input("z_t"), golden.input("timesteps"), condition));
            Close.assertClose(result.loss(), golden.expected("loss_77"), 2e-2, 0);
            assertThat(cosine(result.gradient(), golden.expected("dcontext_77")))
                    .isGreaterThan(AUTOCAST_COSINE);
        }
    }

    @Test
    void frozenWeightsGetNoGradientAndTrainedOnesDo() {
        Golden golden = Golden.resource("sd15-unet");
        try (PointerScope scope = new PointerScope();
                Weights frozen = Teachers.weights(golden.file("unet"), Precision.FP32);
                Weights trained = Teachers.trained(golden.file("unet"))) {
            for (Weights weights : new Weights[] {frozen, trained}) {
                UNet unet = Teachers.unet(weights, golden.file("unet"));
                Teachers.differentiate(
                        golden.input("context_43"),
                        golden.input("noise"),
                        condition -> unet.predict(golden.input("z_t"), golden.input("timesteps"), condition));
            }
            assertThat(frozen.parameters()).isEmpty();
            assertThat(trained.parameters()).hasSameSizeAs(trained.tensors());
            trained.parameters()
                    .forEach((name, tensor) -> assertThat(
                                    Tensors.toFloats(tensor.grad().abs().sum())[0])
                            .as(name)
                            .isPositive());
        }
    }

    @Test
    void memoryIsFlatOverTheStepsOfARun() {
        Golden golden = Golden.resource("sd21-unet");
        try (PointerScope outer = new PointerScope();
                Weights weights = Teachers.weights(Teachers.unetOf("sd21"), Precision.FP32)) {
            UNet unet = Teachers.unet(weights, Teachers.unetOf("sd21"));
            Tensor zt = golden.input("z_t");
            Tensor noise = golden.input("noise");
            Tensor timesteps = golden.input("timesteps");
            Tensor condition = golden.input("context_77");
            // A leaked step would be 5 MB: 6 of them 30 MB.
            assertThat(Memory.growth(
                            6, () -> Teachers.differentiate(condition, noise, c -> unet.predict(zt, timesteps, c))))
                    .isLessThan(5L << 20);
        }
    }

    @Test
    void conditionOfAnotherWidthIsRefused() {
        Golden golden = Golden.resource("sd21-unet");
        try (PointerScope scope = new PointerScope();
                Weights weights = Teachers.weights(Teachers.unetOf("sd21"), Precision.FP32)) {
            UNet unet = Teachers.unet(weights, Teachers.unetOf("sd21"));
            Tensor narrow = golden.input("context_77").narrow(2, 0, 24);
            assertThatThrownBy(() -> unet.predict(golden.input("z_t"), golden.input("timesteps"), narrow))
                    .hasMessage("condition [2, 77, 24], expected [batch, tokens, 32]");
        }
    }

    /** Numbers of tokens of the conditions that the case holds. */
    private static List<String> lengths(Golden golden) {
        List<String> lengths = Golden.endings(golden.inputs(), "context_");
        assertThat(lengths).isNotEmpty();
        return lengths;
    }

    private static void assertEqual(Golden golden, Result result, String tokens) {
        double tolerance = golden.tolerance();
        Close.assertCloseToLargest(result.prediction(), golden.expected("eps_" + tokens), tolerance, tolerance);
        Close.assertClose(result.loss(), golden.expected("loss_" + tokens), 0, tolerance);
        Close.assertCloseToLargest(
                result.gradient(), golden.expected("dcontext_" + tokens), GRADIENT_RTOL, GRADIENT_ATOL);
    }

    private static float largest(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private static double cosine(Tensor a, Tensor b) {
        float[] x = Tensors.toFloats(a);
        float[] y = Tensors.toFloats(b);
        double xy = 0;
        double xx = 0;
        double yy = 0;
        for (int i = 0; i < x.length; i++) {
            xy += (double) x[i] * y[i];
            xx += (double) x[i] * x[i];
            yy += (double) y[i] * y[i];
        }
        return xy / Math.sqrt(xx * yy);
    }
}
