package dev.diva.diffusion;

import org.bytedeco.pytorch.Tensor;

/** From noise to the latent that a condition describes, without further randomness. */
public interface Sampler {
    /**
     * Denoises, and keeps no gradient.
     *
     * @param denoiser of the noise process that the sampler is made for
     * @param noise standard normal, [batch, latentChannels, h, w]
     * @param condition as the denoiser takes it
     * @return scaled latents as noise, fp32, for {@link Autoencoder#decode}; owned by the caller's scope
     */
    Tensor sample(Denoiser denoiser, Tensor noise, Condition condition);
}
