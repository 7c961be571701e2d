package dev.diva.diffusion;

import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * How much noise a latent carries at each timestep, z_t = sqrt(abar_t) z_0 + sqrt(1 - abar_t) noise, and what the denoiser was trained to
 * predict of it. All in fp32, equal to diffusers' schedulers; immutable, owns no native memory.
 */
public final class NoiseSchedule {
    private final NoiseConfig config;
    private final float[] alphasCumprod;

    public NoiseSchedule(NoiseConfig config) {
        this.config = config;
        this.alphasCumprod = config.alphasCumprod();
    }

    /** What the schedule was made from. */
    public NoiseConfig config() {
        return config;
    }

    /** Timesteps are 0 to this, exclusive. */
    public int numTrainTimesteps() {
        return alphasCumprod.length;
    }

    /** What the denoiser predicts. */
    public NoiseConfig.Prediction prediction() {
        return config.prediction();
    }

    /** abar of every timestep: the share of the latent's variance that is left. */
    public float[] alphasCumprod() {
        return alphasCumprod.clone();
    }

    /** abar of one timestep. */
    public float alphaCumprod(int timestep) {
        return alphasCumprod[timestep];
    }

    /**
     * sqrt(abar_t) latent + sqrt(1 - abar_t) noise.
     *
     * @param latent [batch, ...]
     * @param noise as latent
     * @param timesteps int64 [batch]
     * @return as latent, owned by the caller's scope
     */
    public Tensor addNoise(Tensor latent, Tensor noise, Tensor timesteps) {
        return Scopes.returning(() -> latent.mul(signal(timesteps, latent)).add(noise.mul(spread(timesteps, latent))));
    }

    /**
     * What a perfect denoiser would predict: the noise, the velocity sqrt(abar_t) noise - sqrt(1 - abar_t) latent, or the latent.
     *
     * @return [batch, ...], owned by the caller's scope
     */
    public Tensor target(Tensor latent, Tensor noise, Tensor timesteps) {
        return switch (config.prediction()) {
            case EPSILON -> noise.alias();
            case SAMPLE -> latent.alias();
            case V_PREDICTION -> velocity(latent, noise, timesteps);
        };
    }

    /**
     * What a squared error of the prediction is multiplied by to become the squared error of the velocity that it implies: 1 / abar for
     * noise, 1 for the velocity itself, 1 / (1 - abar) for the latent. Infinite where the prediction says nothing of the velocity, as
     * noise does of a latent that is noise alone.
     */
    public double velocityWeight(int timestep) {
        double abar = alphasCumprod[timestep];
        return switch (config.prediction()) {
            case EPSILON -> 1 / abar;
            case SAMPLE -> 1 / (1 - abar);
            case V_PREDICTION -> 1;
        };
    }

    /**
     * What a squared error of the prediction is multiplied by to become the squared error of the noise that it implies: 1 for the noise
     * itself, abar for the velocity, abar / (1 - abar) for the latent.
     */
    public double noiseWeight(int timestep) {
        double abar = alphasCumprod[timestep];
        return switch (config.prediction()) {
            case EPSILON -> 1;
            case SAMPLE -> abar / (1 - abar);
            case V_PREDICTION -> abar;
        };
    }

    private Tensor velocity(Tensor latent, Tensor noise, Tensor timesteps) {
        return Scopes.returning(() -> noise.mul(signal(timesteps, latent)).sub(latent.mul(spread(timesteps, latent))));
    }

    private Tensor signal(Tensor timesteps, Tensor like) {
        return coefficients(timesteps, like, false);
    }

    private Tensor spread(Tensor timesteps, Tensor like) {
        return coefficients(timesteps, like, true);
    }

    /** sqrt(abar) or sqrt(1 - abar) of each sample, shaped to be multiplied with a tensor of that kind. */
    private Tensor coefficients(Tensor timesteps, Tensor like, boolean ofNoise) {
        long[] steps = Tensors.toLongs(timesteps);
        float[] values = new float[steps.length];
        for (int i = 0; i < steps.length; i++) {
            if (steps[i] < 0 || steps[i] >= alphasCumprod.length) {
                throw new IllegalArgumentException(
                        "timestep " + steps[i] + ", expected 0 to " + (alphasCumprod.length - 1));
            }
            float alpha = alphasCumprod[(int) steps[i]];
            values[i] = (float) Math.sqrt(ofNoise ? 1 - alpha : alpha);
        }
        long[] shape = new long[Math.toIntExact(like.dim())];
        java.util.Arrays.fill(shape, 1);
        shape[0] = steps.length;
        return Tensors.onto(Tensors.of(values, shape), like.device(), ScalarType.Float);
    }
}
