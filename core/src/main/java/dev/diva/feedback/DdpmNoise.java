package dev.diva.feedback;

import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.BatchDraws;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The noise of Stable Diffusion: sqrt(abar_t) latent + sqrt(1 - abar_t) noise at whole timesteps.
 *
 * @param schedule which also says whether the target is the noise, the velocity or the latent
 * @param timesteps which are drawn
 */
public record DdpmNoise(NoiseSchedule schedule, TimestepSampler timesteps) implements NoiseProcess {
    @Override
    public Draw draw(Tensor latents, BatchDraws draws) {
        Tensor steps = timesteps.sample(draws);
        Tensor noise = draws.randn(latents.size(1), latents.size(2), latents.size(3));
        return new Draw(steps.to(torch.kLong()), noise.to(latents.device(), torch.kFloat()));
    }

    @Override
    public Tensor noisy(Tensor latents, Draw draw) {
        return schedule.addNoise(latents, draw.noise(), draw.levels());
    }

    @Override
    public Tensor target(Tensor latents, Draw draw) {
        return schedule.target(latents, draw.noise(), draw.levels());
    }
}
