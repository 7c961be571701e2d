package dev.diva.feedback;

import dev.diva.engine.BatchDraws;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/** How clean latents become noisy ones, and what a denoiser should say of them. */
public interface NoiseProcess {
    /**
     * A noise level and noise for each image of a batch.
     *
     * @param levels what the denoiser is told, [batch]: int64 timesteps, which stay on the processor, or real numbers 0 to 1
     * @param noise as the latents, fp32
     */
    record Draw(Tensor levels, Tensor noise) {}

    /**
     * Draws levels, then noise.
     *
     * @param latents [batch, channels, height, width]
     */
    Draw draw(Tensor latents, BatchDraws draws);

    /** The noisy latents of that draw, fp32, owned by the caller's scope. */
    Tensor noisy(Tensor latents, Draw draw);

    /** What a perfect denoiser would predict of them, fp32, owned by the caller's scope. */
    Tensor target(Tensor latents, Draw draw);

    /** What the squared error of each image is multiplied by, fp32 [batch, 1, 1, 1]; empty where it counts as it is. */
    default Optional<Tensor> weight(Draw draw) {
        return Optional.empty();
    }
}
