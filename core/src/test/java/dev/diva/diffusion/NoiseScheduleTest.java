package dev.diva.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Noise by timestep against the numbers of diffusers and closed forms. */
class NoiseScheduleTest {
    /** Every schedule of the case that has noisy latents. */
    static List<String> schedules() {
        return Golden.endings(Golden.of("scheduler").expected(), "").stream()
                .filter(name -> name.endsWith(".z_t"))
                .map(name -> name.substring(0, name.indexOf('.')))
                .toList();
    }

    @Tag("golden")
    @ParameterizedTest
    @MethodSource("schedules")
    void scheduleNoiseAndVelocityEqualDiffusers(String name) {
        Golden golden = Golden.of("scheduler");
        NoiseConfig config = NoiseConfig.read(read(golden.file(name)));
        NoiseSchedule schedule = new NoiseSchedule(config);
        NoiseSchedule velocity = new NoiseSchedule(
                new NoiseConfig(config.betas(), NoiseConfig.Prediction.V_PREDICTION, config.zeroTerminalSnr()));
        try (PointerScope scope = new PointerScope()) {
            Close.assertClose(
                    schedule.alphasCumprod(),
                    Tensors.toFloats(golden.expected(name + ".alphas_cumprod")),
                    0,
                    golden.tolerance());
            Tensor z0 = golden.input("z_0");
            Tensor noise = golden.input("noise");
            Tensor timesteps = golden.input("timesteps");
            Close.assertClose(
                    schedule.addNoise(z0, noise, timesteps), golden.expected(name + ".z_t"), 0, golden.tolerance());
            Close.assertClose(
                    velocity.target(z0, noise, timesteps), golden.expected(name + ".v"), 0, golden.tolerance());
        }
    }

    @Tag("golden")
    @Test
    void folderOfStableDiffusion21EqualsDiffusers() {
        Golden golden = Golden.of("scheduler");
        NoiseSchedule schedule =
                new NoiseSchedule(NoiseConfig.read(read(Golden.path("sd21").resolve("scheduler"))));
        Close.assertClose(
                schedule.alphasCumprod(),
                Tensors.toFloats(golden.expected("euler_sd21.alphas_cumprod")),
                0,
                golden.tolerance());
    }

    @Test
    void theFolderOfStableDiffusion21SaysEpsilonAndItsBetas() {
        NoiseConfig config = NoiseConfig.read(read(Golden.model("sd21").resolve("scheduler")));
        assertThat(config).isEqualTo(NoiseConfig.scaledLinear(1000, 0.00085, 0.012, NoiseConfig.Prediction.EPSILON));
    }

    @Test
    void trainedBetasGiveTheirCumulativeProduct() {
        NoiseSchedule schedule = new NoiseSchedule(
                NoiseConfig.read(json("{'trained_betas': [0.5, 0.25, 0.5], 'beta_schedule': 'none'}")));
        Close.assertClose(schedule.alphasCumprod(), new float[] {0.5f, 0.375f, 0.1875f}, 0, 0);
    }

    @Test
    void predictionSaysWhatIsTheTarget() {
        try (PointerScope scope = new PointerScope()) {
            Tensor latent = Tensors.of(new float[] {1, 2}, 1, 2);
            Tensor noise = Tensors.of(new float[] {3, 5}, 1, 2);
            Tensor timesteps = Tensors.of(new long[] {0}, 1);
            float[] betas = {0.36f}; // sqrt(abar) = 0.8, sqrt(1 - abar) = 0.6
            assertTarget(betas, NoiseConfig.Prediction.EPSILON, new float[] {3, 5}, latent, noise, timesteps);
            assertTarget(betas, NoiseConfig.Prediction.SAMPLE, new float[] {1, 2}, latent, noise, timesteps);
            assertTarget(
                    betas, NoiseConfig.Prediction.V_PREDICTION, new float[] {1.8f, 2.8f}, latent, noise, timesteps);
        }
    }

    private static void assertTarget(
            float[] betas, NoiseConfig.Prediction prediction, float[] expected, Tensor... latentNoiseTimesteps) {
        NoiseSchedule schedule = new NoiseSchedule(new NoiseConfig(betas, prediction, false));
        Tensor target = schedule.target(latentNoiseTimesteps[0], latentNoiseTimesteps[1], latentNoiseTimesteps[2]);
        Close.assertClose(Tensors.toFloats(target), expected, 0, 1e-6);
    }

    @Test
    void timestepOutsideIsRefused() {
        NoiseSchedule schedule =
                new NoiseSchedule(new NoiseConfig(new float[] {0.1f}, NoiseConfig.Prediction.EPSILON, false));
        try (PointerScope scope = new PointerScope()) {
            Tensor z = Tensors.of(new float[] {1}, 1, 1);
            Tensor timesteps = Tensors.of(new long[] {1}, 1);
            assertThatThrownBy(() -> schedule.addNoise(z, z, timesteps)).hasMessage("timestep 1, expected 0 to 0");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'prediction_type': 'flow'} | prediction_type is \"flow\", expected epsilon, v_prediction or sample",
                "{'beta_schedule': 'sigmoid'} | beta_schedule is \"sigmoid\", expected linear, scaled_linear or"
                        + " squaredcos_cap_v2",
                "{'trained_betas': []} | trained_betas is [], expected a list of numbers",
                "{'_class_name': 'FlowMatchEulerDiscreteScheduler'} | _class_name is"
                        + " \"FlowMatchEulerDiscreteScheduler\", expected a scheduler with noise at discrete timesteps,"
                        + " such as DDPMScheduler or PNDMScheduler",
                "{'use_flow_sigmas': true} | use_flow_sigmas is true, expected false",
                "{'snr_shift_scale': 3} | snr_shift_scale is 3, expected 1 or 1.0",
                "{'num_train_timesteps': 2000000000} | num_train_timesteps is 2000000000, expected 1 to 1000000",
                "{'trained_betas': [0.5, 1.5]} | adds noise of variance 1.5 at timestep 1, expected above 0 and at most"
                        + " 1 at each: see beta_start, beta_end, trained_betas",
            })
    void unknownNoiseIsNamed(String config, String message) {
        assertThatThrownBy(() -> NoiseConfig.read(json(config)))
                .isInstanceOf(BadInputException.class)
                .hasMessage("s.json: " + message);
    }

    private static ConfigJson read(Path folder) {
        return ConfigJson.read(folder.resolve("scheduler_config.json"));
    }

    private static ConfigJson json(String text) {
        try {
            return new ConfigJson(new ObjectMapper().readTree(text.replace('\'', '"')), "s.json");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Python's json writes {@code lambda_min_clipped} of a DPM solver so. */
    @Test
    void infinitiesOfPythonAreRead(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("scheduler_config.json");
        Files.writeString(
                file,
                "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"lambda_min_clipped\": -Infinity, \"x\": NaN,"
                        + " \"num_train_timesteps\": 7}");
        assertThat(NoiseConfig.read(ConfigJson.read(file)).betas()).hasSize(7);
    }
}
