package dev.diva.diffusion;

import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Follows the velocity of a rectified flow from noise (level 1) to the latent (level 0) in Euler steps of one length.
 *
 * @param steps 1 or more; 20 to 50 are usual
 */
public record FlowSampler(int steps) implements Sampler {
    public FlowSampler {
        if (steps < 1) {
            throw new IllegalArgumentException(steps + " steps, expected 1 or more");
        }
    }

    @Override
    public Tensor sample(Denoiser denoiser, Tensor noise, Condition condition) {
        return Scopes.returning(() -> {
            try (NoGradGuard noGrad = new NoGradGuard()) {
                Tensor latent = noise.to(ScalarType.Float);
                for (int i = 0; i < steps; i++) {
                    Tensor noisy = latent;
                    float level = 1 - (float) i / steps;
                    latent = Scopes.returning(() -> next(denoiser, noisy, level, condition));
                    noisy.close();
                }
                return latent;
            }
        });
    }

    private Tensor next(Denoiser denoiser, Tensor noisy, float level, Condition condition) {
        float[] levels = new float[Math.toIntExact(noisy.size(0))];
        Arrays.fill(levels, level);
        Tensor velocity = denoiser.predict(
                noisy, Tensors.onto(Tensors.of(levels, levels.length), noisy.device(), ScalarType.Float), condition);
        return noisy.sub(
                Tensors.onto(velocity, noisy.device(), ScalarType.Float).mul(new Scalar(1.0 / steps)));
    }
}
