package dev.diva.feedback;

import dev.diva.BadInputException;
import dev.diva.diffusion.NoiseConfig;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.Tensors;
import java.util.Locale;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The noise of Stable Diffusion: sqrt(abar_t) latent + sqrt(1 - abar_t) noise at whole timesteps.
 *
 * @param schedule which also says whether the target is the noise, the velocity or the latent
 * @param timesteps which are drawn
 * @param weight what an error counts at each of them
 */
public record DdpmNoise(NoiseSchedule schedule, TimestepSampler timesteps, LevelWeight weight) implements NoiseProcess {
    /** @throws BadInputException when an error would count without limit at a timestep that may be drawn */
    public DdpmNoise {
        long last = Math.min(timesteps.max(), schedule.numTrainTimesteps() - 1L);
        for (long step = timesteps.min(); step <= last; step++) {
            if (!Double.isFinite(weight.of(schedule, Math.toIntExact(step)))) {
                throw new BadInputException("timesteps.weight is "
                        + weight.name().toLowerCase(Locale.ROOT)
                        + ", and at timestep " + step + " the teacher, which predicts the "
                        + (schedule.prediction() == NoiseConfig.Prediction.EPSILON ? "noise" : "latent")
                        + ", says nothing of it; set timesteps.min and timesteps.max so that it is not drawn");
            }
        }
    }

    /** Errors count as they are. */
    public DdpmNoise(NoiseSchedule schedule, TimestepSampler timesteps) {
        this(schedule, timesteps, LevelWeight.NONE);
    }

    @Override
    public Draw draw(Tensor latents, BatchDraws draws) {
        Tensor steps = timesteps.sample(draws);
        Tensor noise = draws.randn(latents.size(1), latents.size(2), latents.size(3));
        return new Draw(steps.to(torch.kLong()), Tensors.onto(noise, latents.device(), torch.kFloat()));
    }

    @Override
    public Tensor noisy(Tensor latents, Draw draw) {
        return schedule.addNoise(latents, draw.noise(), draw.levels());
    }

    @Override
    public Tensor target(Tensor latents, Draw draw) {
        return schedule.target(latents, draw.noise(), draw.levels());
    }

    @Override
    public Optional<Tensor> weight(Draw draw) {
        if (weight == LevelWeight.NONE) {
            return Optional.empty();
        }
        long[] steps = Tensors.toLongs(draw.levels());
        float[] weights = new float[steps.length];
        for (int i = 0; i < steps.length; i++) {
            weights[i] = (float) weight.of(schedule, Math.toIntExact(steps[i]));
        }
        return Optional.of(Tensors.onto(
                Tensors.of(weights, weights.length, 1, 1, 1), draw.noise().device(), torch.kFloat()));
    }
}
