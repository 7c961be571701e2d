package dev.diva.feedback;

import dev.diva.BadInputException;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Straight paths from latents to noise (Liu et al. 2022): (1 - t) latent + t noise at real levels t from 0 to 1, with the velocity noise -
 * latent as target. The levels are logit-normal, sigmoid(mean + std n), as in Stable Diffusion 3 and GenHancer: one {@code randn(batch)}.
 *
 * @param mean of the logit
 * @param std of the logit, above 0; GenHancer's {@code scale_factor}
 */
public record RectifiedFlow(double mean, double std) implements NoiseProcess {
    public RectifiedFlow {
        if (!(std > 0) || Double.isInfinite(std) || !Double.isFinite(mean)) {
            throw new BadInputException("noise levels with a logit of mean " + mean + " and std " + std
                    + "; expected finite numbers, std above 0");
        }
    }

    @Override
    public Draw draw(Tensor latents, BatchDraws draws) {
        Tensor levels = levels(draws.randn());
        Tensor noise = draws.randn(latents.size(1), latents.size(2), latents.size(3));
        return new Draw(
                Tensors.onto(levels, latents.device(), torch.kFloat()),
                Tensors.onto(noise, latents.device(), torch.kFloat()));
    }

    /** The levels that standard normal numbers give, 0 (clean) to 1 (noise), in fp32. */
    public Tensor levels(Tensor normal) {
        return normal.mul(new Scalar(std)).add(new Scalar(mean)).sigmoid();
    }

    @Override
    public Tensor noisy(Tensor latents, Draw draw) {
        return Scopes.returning(() -> {
            Tensor t = draw.levels().view(-1, 1, 1, 1);
            Tensor rest = t.neg().add(new Scalar(1));
            return latents.mul(rest).add(draw.noise().mul(t));
        });
    }

    @Override
    public Tensor target(Tensor latents, Draw draw) {
        return draw.noise().sub(latents);
    }
}
