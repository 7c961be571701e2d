package dev.diva.feedback;

import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.BatchDraws;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The teacher's judgement: mean((prediction - target)^2) at random noise levels. Everything in it is frozen. */
public final class DenoisingLoss {
    private final Denoiser denoiser;
    private final NoiseSchedule schedule;
    private final TimestepSampler timesteps;

    public DenoisingLoss(Denoiser denoiser, NoiseSchedule schedule, TimestepSampler timesteps) {
        this.denoiser = denoiser;
        this.schedule = schedule;
        this.timesteps = timesteps;
    }

    /** A noise level and noise for each image of a batch. */
    public record Noise(Tensor timesteps, Tensor noise) {}

    /**
     * Draws timesteps, then noise.
     *
     * @param latents [batch, channels, height, width]
     */
    public Noise draw(Tensor latents, BatchDraws draws) {
        Tensor steps = timesteps.sample(draws);
        Tensor noise = draws.randn(latents.size(1), latents.size(2), latents.size(3));
        return new Noise(steps.to(latents.device(), torch.kLong()), noise.to(latents.device(), torch.kFloat()));
    }

    /**
     * The loss of one draw.
     *
     * @param latents clean, fp32 [batch, channels, height, width]
     * @param condition [batch, tokens, width]
     * @return scalar, fp32
     */
    public Tensor of(Tensor latents, Noise draw, Tensor condition) {
        return error(latents, draw, condition).mean();
    }

    /**
     * The loss of each of several draws, in one pass of the denoiser.
     *
     * @param latents clean, fp32 [batch, channels, height, width]
     * @param condition [batch, tokens, width]
     * @return fp32 [draws]
     */
    public Tensor ofEach(Tensor latents, List<Noise> draws, Tensor condition) {
        long count = draws.size();
        Noise all = new Noise(
                torch.cat(new TensorVector(draws.stream().map(Noise::timesteps).toArray(Tensor[]::new))),
                torch.cat(new TensorVector(draws.stream().map(Noise::noise).toArray(Tensor[]::new))));
        return error(latents.repeat(count, 1, 1, 1), all, condition.repeat(count, 1, 1))
                .reshape(count, -1)
                .mean(1);
    }

    private Tensor error(Tensor latents, Noise draw, Tensor condition) {
        Tensor noisy = schedule.addNoise(latents, draw.noise, draw.timesteps);
        Tensor predicted = denoiser.predict(noisy, draw.timesteps, condition);
        Tensor target = schedule.target(latents, draw.noise, draw.timesteps);
        return predicted.to(torch.kFloat()).sub(target, new Scalar(1)).square();
    }
}
