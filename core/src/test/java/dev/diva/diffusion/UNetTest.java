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
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** UNets of every Stable Diffusion against the numbers of diffusers. */
@ExtendWith(OneThread.class)
class UNetTest {
    private static final double TOLERANCE = 1e-4;
    private static final double GRADIENT_RTOL = 1e-3;
    private static final double GRADIENT_ATOL = 1e-6;

    /** What PyTorch 2.10's own bf16 autocast reaches on this tiny random UNet, whose norms amplify every rounding. */
    private static final double AUTOCAST_COSINE = 0.975;

    @ParameterizedTest
    @CsvSource({
        "sd21-unet, sd21, 77",
        "sd21-unet, sd21, 43",
        "sd21-unet, sd21, 257",
        "sd15-unet, sd15-unet, 77",
        "sd15-unet, sd15-unet, 43",
    })
    void predictionLossAndGradientEqualDiffusers(String name, String model, int tokens) {
        Golden golden = Golden.of(name);
        try (PointerScope scope = new PointerScope();
                Weights weights = Teachers.weights(Teachers.unetOf(model), Precision.FP32)) {
            UNet unet = Teachers.unet(weights, Teachers.unetOf(model));
            Result result = Teachers.differentiate(
                    golden.input("context_" + tokens),
                    golden.input("noise"),
                    condition -> unet.predict(golden.input("z_t"), golden.input("timesteps"), condition));
            assertEqual(golden, result, tokens);
        }
    }

    @ParameterizedTest
    @CsvSource({"77", "43"})
    void sdxlWithAddedConditionEqualsDiffusers(int tokens) {
        Golden golden = Golden.of("sdxl-unet");
        try (PointerScope scope = new PointerScope();
                Weights weights = Teachers.weights(golden.file("unet"), Precision.FP32)) {
            UNet unet = Teachers.unet(weights, golden.file("unet"));
            UNet.Added added = new UNet.Added(golden.input("text_embeds"), golden.input("time_ids"));
            Result result = Teachers.differentiate(
                    golden.input("context_" + tokens),
                    golden.input("noise"),
                    condition -> unet.predict(golden.input("z_t"), golden.input("timesteps"), condition, added));
            assertEqual(golden, result, tokens);
        }
    }

    @Test
    void sdxlWithoutAddedConditionTakesNoTextAndTheSizeOfTheImage() {
        Golden golden = Golden.of("sdxl-unet");
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

    @Test
    void everyStageEqualsDiffusers() {
        Golden golden = Golden.of("sd21-unet");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = Teachers.weights(Teachers.unetOf("sd21"), Precision.FP32)) {
            UNet unet = Teachers.unet(weights, Teachers.unetOf("sd21"));
            Map<String, float[]> stages = new LinkedHashMap<>();
            unet.predict(
                    golden.input("z_t").narrow(0, 0, 1),
                    golden.input("timesteps").narrow(0, 0, 1),
                    new UNet.Conditions(golden.input("context_77").narrow(0, 0, 1), null, null),
                    (name, output) -> stages.put(name, Tensors.toFloats(output)));
            assertThat(stages).hasSize(11);
            stages.forEach((name, output) -> {
                float[] expected = Tensors.toFloats(golden.expected("stage." + name));
                Close.assertClose(output, expected, 0, TOLERANCE * Math.max(1, largest(expected)));
            });
        }
    }

    @Test
    void velocityPredictionEqualsDiffusers() {
        Golden golden = Golden.of("sd21-v-prediction");
        NoiseSchedule schedule =
                new NoiseSchedule(NoiseConfig.read(ConfigJson.read(golden.file("scheduler/scheduler_config.json"))));
        try (PointerScope scope = new PointerScope();
                Weights weights = Teachers.weights(Teachers.unetOf("sd21"), Precision.FP32)) {
            UNet unet = Teachers.unet(weights, Teachers.unetOf("sd21"));
            Tensor timesteps = golden.input("timesteps");
            Tensor zt = schedule.addNoise(golden.input("z_0"), golden.input("noise"), timesteps);
            Tensor target = schedule.target(golden.input("z_0"), golden.input("noise"), timesteps);
            Close.assertClose(zt, golden.expected("z_t"), 0, 2e-6);
            Close.assertClose(target, golden.expected("v_target"), 0, 2e-6);
            Result result = Teachers.differentiate(
                    golden.input("context_77"), target, condition -> unet.predict(zt, timesteps, condition));
            Close.assertClose(result.prediction(), golden.expected("v_77"), 0, TOLERANCE);
            Close.assertClose(result.loss(), golden.expected("loss_77"), 0, TOLERANCE);
            Close.assertCloseToLargest(result.gradient(), golden.expected("dcontext_77"), GRADIENT_RTOL, GRADIENT_ATOL);
        }
    }

    @Test
    void oddLatentSizesComeBackInTheirOwnSize() {
        Golden golden = Golden.of("sd21-unet");
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
            Close.assertClose(alone, golden.expected("eps_77").narrow(0, 1, 1), 0, TOLERANCE);
        }
    }

    @Test
    void bf16StaysCloseToFp32() {
        Golden golden = Golden.of("sd21-unet");
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
        Golden golden = Golden.of("sd15-unet");
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
        Golden golden = Golden.of("sd21-unet");
        try (PointerScope outer = new PointerScope();
                Weights weights = Teachers.weights(Teachers.unetOf("sd21"), Precision.FP32)) {
            UNet unet = Teachers.unet(weights, Teachers.unetOf("sd21"));
            Tensor zt = golden.input("z_t");
            Tensor noise = golden.input("noise");
            Tensor timesteps = golden.input("timesteps");
            Tensor condition = golden.input("context_77");
            // A leaked step would be 5 MB: 20 of them 100 MB.
            assertThat(Memory.growth(
                            20, () -> Teachers.differentiate(condition, noise, c -> unet.predict(zt, timesteps, c))))
                    .isLessThan(5L << 20);
        }
    }

    @Test
    void conditionOfAnotherWidthIsRefused() {
        Golden golden = Golden.of("sd21-unet");
        try (PointerScope scope = new PointerScope();
                Weights weights = Teachers.weights(Teachers.unetOf("sd21"), Precision.FP32)) {
            UNet unet = Teachers.unet(weights, Teachers.unetOf("sd21"));
            Tensor narrow = golden.input("context_77").narrow(2, 0, 24);
            assertThatThrownBy(() -> unet.predict(golden.input("z_t"), golden.input("timesteps"), narrow))
                    .hasMessage("condition [2, 77, 24], expected [batch, tokens, 32]");
        }
    }

    private static void assertEqual(Golden golden, Result result, int tokens) {
        Close.assertCloseToLargest(result.prediction(), golden.expected("eps_" + tokens), TOLERANCE, TOLERANCE);
        Close.assertClose(result.loss(), golden.expected("loss_" + tokens), 0, TOLERANCE);
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
