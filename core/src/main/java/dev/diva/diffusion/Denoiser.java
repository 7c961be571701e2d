package dev.diva.diffusion;

import org.bytedeco.pytorch.Tensor;

/** What a diffusion model predicts of a noisy latent, given a condition. Gradients flow into whatever asks for them. */
public interface Denoiser {
    /**
     * Predicts noise, velocity or latent, as the {@link NoiseSchedule} of the model says.
     *
     * @param zt noisy latents, [batch, latentChannels, h, w], any real type
     * @param timesteps int64 [batch], 0 (clean) to numTrainTimesteps - 1 (noise)
     * @param condition [batch, tokens, crossAttentionDim] with any number of tokens, any real type
     * @return [batch, latentChannels, h, w], fp32 in every precision, owned by the caller's scope
     */
    Tensor predict(Tensor zt, Tensor timesteps, Tensor condition);

    /** Width of a token of the condition. */
    long crossAttentionDim();

    /** Channels of the latents. */
    long latentChannels();
}
