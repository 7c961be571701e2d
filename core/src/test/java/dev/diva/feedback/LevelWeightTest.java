package dev.diva.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.diva.BadInputException;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.NoiseConfig;
import dev.diva.diffusion.NoiseConfig.Prediction;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Weighted errors are the squared errors of the velocity or the noise that a prediction implies, whatever is predicted. */
class LevelWeightTest {
    private static final TimestepSampler HIGH =
            new TimestepSampler(541, 999, TimestepSampler.Distribution.UNIFORM, 0, 1);

    /** A prediction that is off by a known amount in the latent; noise and velocity that it implies follow from the noisy latent. */
    @ParameterizedTest
    @EnumSource(Prediction.class)
    void lossIsThatOfTheImpliedVelocityOrNoise(Prediction prediction) {
        try (PointerScope scope = new PointerScope()) {
            NoiseSchedule schedule = new NoiseSchedule(new NoiseConfig(betas(), prediction, false));
            RandomStreams streams = new RandomStreams(3);
            Tensor latents = RandomStreams.randn(streams.stream("x"), 2, 3, 4, 4);
            Tensor noise = RandomStreams.randn(streams.stream("eps"), 2, 3, 4, 4);
            Tensor off = RandomStreams.randn(streams.stream("off"), 2, 3, 4, 4).mul(new Scalar(0.1));
            long[] steps = {541, 999};
            NoiseProcess.Draw draw = new NoiseProcess.Draw(Tensors.of(steps, 2), noise);
            Denoiser wrong = new Wrong(schedule, latents, noise, off);
            float[] errors = Tensors.toFloats(off.square().flatten(1, -1).mean(1));
            double velocity = 0;
            double noises = 0;
            for (int i = 0; i < 2; i++) {
                double abar = schedule.alphaCumprod((int) steps[i]);
                // a latent off by d: velocity off by -d / sqrt(1 - abar), noise off by -sqrt(abar / (1 - abar)) d
                velocity += errors[i] / (1 - abar) / 2;
                noises += errors[i] * abar / (1 - abar) / 2;
            }
            double asVelocity = loss(wrong, new DdpmNoise(schedule, HIGH, LevelWeight.VELOCITY), latents, draw);
            assertThat(asVelocity).isCloseTo(velocity, within(2e-4 * velocity)); // fp32, amplified by 1 / sqrt(abar)
            double asNoise = loss(wrong, new DdpmNoise(schedule, HIGH, LevelWeight.NOISE), latents, draw);
            assertThat(asNoise).isCloseTo(noises, within(2e-4 * noises));
        }
    }

    private static double loss(Denoiser denoiser, NoiseProcess process, Tensor latents, NoiseProcess.Draw draw) {
        return new DenoisingLoss(denoiser, process)
                .of(latents, draw, Condition.of(latents))
                .item_float();
    }

    @Test
    void withoutWeightErrorsCountAsTheyAre() {
        try (PointerScope scope = new PointerScope()) {
            NoiseSchedule schedule = new NoiseSchedule(new NoiseConfig(betas(), Prediction.EPSILON, false));
            NoiseProcess.Draw draw = new NoiseProcess.Draw(
                    Tensors.of(new long[] {900}, 1), RandomStreams.randn(new RandomStreams(1).stream("n"), 1, 2, 2, 2));
            assertThat(new DdpmNoise(schedule, HIGH).weight(draw)).isEmpty();
            Tensor weight = new DdpmNoise(schedule, HIGH, LevelWeight.VELOCITY)
                    .weight(draw)
                    .orElseThrow();
            assertThat(weight.item_float()).isCloseTo(1 / schedule.alphaCumprod(900), within(1e-3f));
        }
    }

    /** The target of a flow is the velocity already; noise = noisy latent + (1 - t) velocity. */
    @Test
    void flowWeighsOnlyNoise() {
        try (PointerScope scope = new PointerScope()) {
            NoiseProcess.Draw draw = new NoiseProcess.Draw(
                    Tensors.of(new float[] {0.9f, 0.5f}, 2),
                    RandomStreams.randn(new RandomStreams(1).stream("n"), 2, 2, 2, 2));
            FlowLevels levels = new LogitNormalLevels(0, 1);
            assertThat(new RectifiedFlow(levels).weight(draw)).isEmpty();
            assertThat(new RectifiedFlow(levels, LevelWeight.VELOCITY).weight(draw))
                    .isEmpty();
            Tensor weight =
                    new RectifiedFlow(levels, LevelWeight.NOISE).weight(draw).orElseThrow();
            assertThat(weight.shape()).containsExactly(2, 1, 1, 1);
            assertThat(Tensors.toFloats(weight)).containsExactly(new float[] {0.01f, 0.25f}, within(1e-6f));
        }
    }

    /** Where the last timestep is noise alone, noise predicted there says nothing of the velocity. */
    @Test
    void refusesALevelAtWhichAnErrorHasNoLimit() {
        NoiseSchedule noise = new NoiseSchedule(new NoiseConfig(betas(), Prediction.EPSILON, true));
        assertThatThrownBy(() -> new DdpmNoise(noise, HIGH, LevelWeight.VELOCITY))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("timesteps.weight is velocity, and at timestep 999")
                .hasMessageContaining("timesteps.max");
        TimestepSampler below = new TimestepSampler(541, 998, TimestepSampler.Distribution.UNIFORM, 0, 1);
        assertThat(new DdpmNoise(noise, below, LevelWeight.VELOCITY).weight()).isEqualTo(LevelWeight.VELOCITY);
        NoiseSchedule velocity = new NoiseSchedule(new NoiseConfig(betas(), Prediction.V_PREDICTION, true));
        assertThat(new DdpmNoise(velocity, HIGH, LevelWeight.VELOCITY).schedule())
                .isSameAs(velocity);
    }

    /** Scaled linear, as Stable Diffusion. */
    private static float[] betas() {
        float[] betas = new float[1000];
        for (int i = 0; i < 1000; i++) {
            double root = Math.sqrt(0.00085) + i / 999.0 * (Math.sqrt(0.012) - Math.sqrt(0.00085));
            betas[i] = (float) (root * root);
        }
        return betas;
    }

    /** Predicts as if the latent were another one. */
    private record Wrong(NoiseSchedule schedule, Tensor latents, Tensor noise, Tensor off) implements Denoiser {
        @Override
        public Tensor predict(Tensor zt, Tensor timesteps, Condition condition) {
            long[] steps = Tensors.toLongs(timesteps);
            float[] ratio = new float[steps.length];
            for (int i = 0; i < steps.length; i++) {
                double abar = schedule.alphaCumprod((int) steps[i]);
                ratio[i] = (float) Math.sqrt(abar / (1 - abar));
            }
            Tensor noiseOff = off.mul(Tensors.of(ratio, steps.length, 1, 1, 1)).neg();
            return schedule.target(latents.add(off), noise.add(noiseOff), timesteps);
        }

        @Override
        public long crossAttentionDim() {
            return Arrays.stream(latents.shape()).max().orElseThrow();
        }

        @Override
        public long latentChannels() {
            return latents.size(1);
        }
    }
}
