package dev.diva.diffusion;

import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Draws the latent that a condition describes, from given noise, without further randomness: DDIM with eta 0 (Song et al. 2021). The
 * timesteps are spread evenly and begin at the last one ("trailing"), which is right for schedules that end in noise alone as well; the
 * last step goes to abar = 1. Keeps no gradient.
 */
public final class DdimSampler implements Sampler {
    private final NoiseSchedule schedule;
    private final int[] timesteps; // falling

    /**
     * A sampler of so many steps.
     *
     * @param steps 1 to numTrainTimesteps; 20 to 50 are usual
     */
    public DdimSampler(NoiseSchedule schedule, int steps) {
        int trained = schedule.numTrainTimesteps();
        if (steps < 1 || steps > trained) {
            throw new IllegalArgumentException(steps + " steps, expected 1 to " + trained);
        }
        this.schedule = schedule;
        this.timesteps = new int[steps];
        for (int i = 0; i < steps; i++) {
            timesteps[i] = (int) Math.round(trained - (double) i * trained / steps) - 1;
        }
    }

    /** Timesteps in the order of sampling. */
    public int[] timesteps() {
        return timesteps.clone();
    }

    @Override
    public Tensor sample(Denoiser denoiser, Tensor noise, Condition condition) {
        return Scopes.returning(() -> {
            try (NoGradGuard noGrad = new NoGradGuard()) {
                Tensor latent = noise.to(ScalarType.Float);
                for (int i = 0; i < timesteps.length; i++) {
                    Tensor zt = latent;
                    int step = i;
                    latent = Scopes.returning(() -> next(denoiser, zt, condition, step));
                    zt.close();
                }
                return latent;
            }
        });
    }

    private Tensor next(Denoiser denoiser, Tensor zt, Condition condition, int step) {
        long[] each = new long[Math.toIntExact(zt.size(0))];
        Arrays.fill(each, timesteps[step]);
        Tensor predicted = Tensors.onto(
                denoiser.predict(zt, Tensors.of(each, each.length), condition), zt.device(), ScalarType.Float);
        double alpha = schedule.alphaCumprod(timesteps[step]);
        double next = step + 1 < timesteps.length ? schedule.alphaCumprod(timesteps[step + 1]) : 1;
        Scalar signal = new Scalar(Math.sqrt(alpha));
        Scalar spread = new Scalar(Math.sqrt(1 - alpha));
        Tensor clean = switch (schedule.prediction()) {
            case EPSILON -> zt.sub(predicted.mul(spread)).div(signal);
            case V_PREDICTION -> zt.mul(signal).sub(predicted.mul(spread));
            case SAMPLE -> predicted;
        };
        Tensor noise = switch (schedule.prediction()) {
            case EPSILON -> predicted;
            case V_PREDICTION -> predicted.mul(signal).add(zt.mul(spread));
            case SAMPLE -> zt.sub(clean.mul(signal)).div(spread);
        };
        return clean.mul(new Scalar(Math.sqrt(next))).add(noise.mul(new Scalar(Math.sqrt(1 - next))));
    }
}
