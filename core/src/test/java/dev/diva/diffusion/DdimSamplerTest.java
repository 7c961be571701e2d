package dev.diva.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** DDIM against its closed forms. */
class DdimSamplerTest {
    private static final double TOLERANCE = 1e-4;

    /** For latents that are all the same point, a perfect denoiser is known, and every number of steps leads there. */
    @ParameterizedTest
    @EnumSource(NoiseConfig.Prediction.class)
    void perfectDenoiserOfOnePointLeadsThere(NoiseConfig.Prediction prediction) {
        NoiseSchedule schedule = new NoiseSchedule(NoiseConfig.scaledLinear(1000, 0.00085, 0.012, prediction));
        try (PointerScope scope = new PointerScope()) {
            Generator generator = new RandomStreams(1).stream("draws");
            Tensor point = RandomStreams.randn(generator, 2, 4, 3, 3);
            Tensor noise = RandomStreams.randn(generator, 2, 4, 3, 3);
            for (int steps : new int[] {1, 7, 50}) {
                Tensor sampled = new DdimSampler(schedule, steps)
                        .sample(new PointDenoiser(schedule, point, 0), noise, Condition.of(noise));
                Close.assertClose(sampled, point, 0, TOLERANCE);
            }
        }
    }

    /**
     * For latents drawn from N(0, s^2) the flow is known: the latent is the noise times the ratio of the standard deviations at both ends.
     * With a thousand small steps DDIM follows it.
     */
    @ParameterizedTest
    @EnumSource(NoiseConfig.Prediction.class)
    void perfectDenoiserOfANormalScalesTheNoise(NoiseConfig.Prediction prediction) {
        double s = 0.5;
        NoiseSchedule schedule = new NoiseSchedule(NoiseConfig.scaledLinear(1000, 0.00085, 0.012, prediction));
        try (PointerScope scope = new PointerScope()) {
            Tensor noise = Tensors.of(new float[] {1, -2, 0.5f, 3}, 1, 4, 1, 1);
            Tensor sampled = new DdimSampler(schedule, 1000)
                    .sample(new PointDenoiser(schedule, null, s), noise, Condition.of(noise));
            double alpha = schedule.alphaCumprod(999);
            double scale = s / Math.sqrt(alpha * s * s + 1 - alpha);
            Close.assertClose(sampled, noise.mul(new Scalar(scale)), 2e-2, 0);
        }
    }

    @Test
    void timestepsFallEvenlyFromTheLast() {
        NoiseSchedule schedule =
                new NoiseSchedule(NoiseConfig.scaledLinear(1000, 0.00085, 0.012, NoiseConfig.Prediction.EPSILON));
        assertThat(new DdimSampler(schedule, 4).timesteps()).containsExactly(999, 749, 499, 249);
        assertThatThrownBy(() -> new DdimSampler(schedule, 1001)).hasMessage("1001 steps, expected 1 to 1000");
    }

    /** E[latent | zt] in closed form, told as the schedule wants it. */
    private record PointDenoiser(NoiseSchedule schedule, Tensor point, double deviation) implements Denoiser {
        @Override
        public Tensor predict(Tensor zt, Tensor timesteps, Condition condition) {
            double alpha = schedule.alphaCumprod((int) Tensors.toLongs(timesteps)[0]);
            double variance = alpha * deviation * deviation + 1 - alpha;
            Tensor clean =
                    point == null ? zt.mul(new Scalar(Math.sqrt(alpha) * deviation * deviation / variance)) : point;
            Tensor noise = zt.sub(clean.mul(new Scalar(Math.sqrt(alpha)))).div(new Scalar(Math.sqrt(1 - alpha)));
            return schedule.prediction() == NoiseConfig.Prediction.SAMPLE
                    ? clean.clone()
                    : schedule.target(clean, noise, timesteps);
        }

        @Override
        public long crossAttentionDim() {
            return 3;
        }

        @Override
        public long latentChannels() {
            return 4;
        }
    }
}
