package dev.diva.demo;

import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** Paints latents from a condition: DDIM without noise of its own (eta 0), evenly spaced timesteps, for denoisers that predict noise. */
final class Sampler {
    private final Denoiser denoiser;
    private final NoiseSchedule schedule;
    private final int steps;

    Sampler(Denoiser denoiser, NoiseSchedule schedule, int steps) {
        this.denoiser = denoiser;
        this.schedule = schedule;
        this.steps = steps;
    }

    /**
     * Latents of unit variance.
     *
     * @param noise to start from, [batch, channels, height, width]
     * @param condition [batch, tokens, width]
     */
    Tensor paint(Tensor noise, Tensor condition) {
        return Scopes.returning(() -> {
            try (NoGradGuard noGrad = new NoGradGuard()) {
                Tensor z = noise;
                for (int i = steps; i > 0; i--) {
                    z = step(z, condition, timestep(i), i == 1 ? 1.0 : schedule.alphaCumprod(timestep(i - 1)));
                }
                return z;
            }
        });
    }

    private int timestep(int step) {
        return step * schedule.numTrainTimesteps() / steps - 1;
    }

    private Tensor step(Tensor z, Tensor condition, int timestep, double alphaAfter) {
        double alpha = schedule.alphaCumprod(timestep);
        long[] timesteps = new long[Math.toIntExact(z.size(0))];
        Arrays.fill(timesteps, timestep);
        Tensor noise = denoiser.predict(z, Tensors.of(timesteps, timesteps.length), condition);
        Tensor clean = z.sub(noise.mul(new Scalar(Math.sqrt(1 - alpha)))).div(new Scalar(Math.sqrt(alpha)));
        return clean.mul(new Scalar(Math.sqrt(alphaAfter))).add(noise.mul(new Scalar(Math.sqrt(1 - alphaAfter))));
    }
}
