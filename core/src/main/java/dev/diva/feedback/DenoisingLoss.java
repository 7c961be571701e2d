package dev.diva.feedback;

import dev.diva.diffusion.Condition;
import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.BatchDraws;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The teacher's judgement: mean((prediction - target)^2) at random noise levels. */
public final class DenoisingLoss {
    private final Denoiser denoiser;
    private final NoiseProcess process;

    public DenoisingLoss(Denoiser denoiser, NoiseProcess process) {
        this.denoiser = denoiser;
        this.process = process;
    }

    /** With the noise of a DDPM. */
    public DenoisingLoss(Denoiser denoiser, NoiseSchedule schedule, TimestepSampler timesteps) {
        this(denoiser, new DdpmNoise(schedule, timesteps));
    }

    /**
     * Draws noise levels, then noise.
     *
     * @param latents [batch, channels, height, width]
     */
    public NoiseProcess.Draw draw(Tensor latents, BatchDraws draws) {
        return process.draw(latents, draws);
    }

    /** Whether the denoiser gets gradients as well. */
    boolean denoiserLearns() {
        return denoiser.learns();
    }

    /** The loss of one draw for a condition of tokens alone. */
    public Tensor of(Tensor latents, NoiseProcess.Draw draw, Tensor tokens) {
        return of(latents, draw, Condition.of(tokens));
    }

    /**
     * The loss of one draw.
     *
     * @param latents clean, fp32 [batch, channels, height, width]
     * @return scalar, fp32
     */
    public Tensor of(Tensor latents, NoiseProcess.Draw draw, Condition condition) {
        return error(latents, draw, condition).mean();
    }

    /**
     * The loss of each of several draws, in one pass of the denoiser.
     *
     * @param latents clean, fp32 [batch, channels, height, width]
     * @return fp32 [draws]
     */
    public Tensor ofEach(Tensor latents, List<NoiseProcess.Draw> draws, Condition condition) {
        long count = draws.size();
        NoiseProcess.Draw all = new NoiseProcess.Draw(
                torch.cat(new TensorVector(
                        draws.stream().map(NoiseProcess.Draw::levels).toArray(Tensor[]::new))),
                torch.cat(new TensorVector(
                        draws.stream().map(NoiseProcess.Draw::noise).toArray(Tensor[]::new))));
        return error(latents.repeat(count, 1, 1, 1), all, condition.repeat(count))
                .reshape(count, -1)
                .mean(1);
    }

    private Tensor error(Tensor latents, NoiseProcess.Draw draw, Condition condition) {
        Tensor noisy = process.noisy(latents, draw);
        Tensor predicted = denoiser.predict(noisy, draw.levels(), condition);
        Tensor target = process.target(latents, draw);
        Tensor squared = predicted.to(torch.kFloat()).sub(target, new Scalar(1)).square();
        return process.weight(draw).map(squared::mul).orElse(squared);
    }
}
