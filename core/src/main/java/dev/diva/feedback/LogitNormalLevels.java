package dev.diva.feedback;

import dev.diva.BadInputException;
import dev.diva.engine.BatchDraws;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * sigmoid(mean + std n) of normal numbers n, as in Stable Diffusion 3 and GenHancer: one {@code randn(batch)}.
 *
 * @param mean of the logit
 * @param std of the logit, above 0; GenHancer's {@code scale_factor}
 */
public record LogitNormalLevels(double mean, double std) implements FlowLevels {
    public LogitNormalLevels {
        if (!(std > 0) || Double.isInfinite(std) || !Double.isFinite(mean)) {
            throw new BadInputException("noise levels with a logit of mean " + mean + " and std " + std
                    + "; expected finite numbers, std above 0");
        }
    }

    @Override
    public Tensor sample(BatchDraws draws) {
        return of(draws.randn());
    }

    /** The levels that standard normal numbers give. */
    public Tensor of(Tensor normal) {
        return normal.mul(new Scalar(std)).add(new Scalar(mean)).sigmoid();
    }
}
