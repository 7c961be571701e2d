package dev.diva.diffusion;

import org.bytedeco.pytorch.Tensor;

/** What a diffusion model predicts of a noisy latent, given a condition. Gradients flow into whatever asks for them. */
public interface Denoiser {
    /**
     * Predicts noise, velocity or latent, as the noise that the model was trained with says.
     *
     * @param zt noisy latents, [batch, latentChannels, h, w], any real type
     * @param levels of noise, [batch]: int64 timesteps 0 (clean) to numTrainTimesteps - 1 (noise) of a {@link NoiseSchedule}; of a
     *     rectified flow real numbers 0 (clean) to 1 (noise)
     * @param condition with any number of tokens, and a vector where {@link #vectorDim} is above 0
     * @return [batch, latentChannels, h, w], fp32 in every precision, owned by the caller's scope
     */
    Tensor predict(Tensor zt, Tensor levels, Condition condition);

    /** The same for a condition of tokens alone, [batch, tokens, crossAttentionDim]. */
    default Tensor predict(Tensor zt, Tensor levels, Tensor tokens) {
        return predict(zt, levels, Condition.of(tokens));
    }

    /** Width of a token of the condition. */
    long crossAttentionDim();

    /** Width of the vector of the condition; 0 where the model takes none. */
    default long vectorDim() {
        return 0;
    }

    /** Channels of the latents. */
    long latentChannels();

    /** Whether its own weights get gradients. */
    default boolean learns() {
        return false;
    }
}
