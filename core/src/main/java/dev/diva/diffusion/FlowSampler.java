package dev.diva.diffusion;

import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Follows the velocity of a rectified flow from noise (level 1) to the latent (level 0) in Euler steps.
 *
 * @param steps 1 or more; 20 to 50 are usual
 * @param shift of the evenly spread levels towards the noise, above 0; 1 for steps of one length
 */
public record FlowSampler(int steps, double shift) implements Sampler {
    public FlowSampler {
        if (steps < 1) {
            throw new IllegalArgumentException(steps + " steps, expected 1 or more");
        }
    }

    /** Steps of one length. */
    public FlowSampler(int steps) {
        this(steps, 1);
    }

    @Override
    public Tensor sample(Denoiser denoiser, Tensor noise, Condition condition) {
        return Scopes.returning(() -> {
            try (NoGradGuard noGrad = new NoGradGuard()) {
                Tensor latent = noise.to(ScalarType.Float);
                for (int i = 0; i < steps; i++) {
                    Tensor noisy = latent;
                    double level = level(i);
                    double length = level - level(i + 1);
                    latent = Scopes.returning(() -> next(denoiser, noisy, level, length, condition));
                    noisy.close();
                }
                return latent;
            }
        });
    }

    private double level(int step) {
        double even = 1 - (float) step / steps;
        return shift * even / (1 + (shift - 1) * even);
    }

    private static Tensor next(Denoiser denoiser, Tensor noisy, double level, double length, Condition condition) {
        float[] levels = new float[Math.toIntExact(noisy.size(0))];
        Arrays.fill(levels, (float) level);
        Tensor velocity = denoiser.predict(
                noisy, Tensors.onto(Tensors.of(levels, levels.length), noisy.device(), ScalarType.Float), condition);
        return noisy.sub(
                Tensors.onto(velocity, noisy.device(), ScalarType.Float).mul(new Scalar(length)));
    }
}
