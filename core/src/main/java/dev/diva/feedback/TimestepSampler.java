package dev.diva.feedback;

import dev.diva.BadInputException;
import dev.diva.engine.BatchDraws;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Which noise levels the teacher judges at.
 *
 * @param min first timestep
 * @param max last timestep, included
 * @param distribution over them
 * @param mean of the logit, for {@link Distribution#LOGIT_NORMAL}
 * @param std of the logit
 */
public record TimestepSampler(long min, long max, Distribution distribution, double mean, double std) {
    /** How timesteps are spread. */
    public enum Distribution {
        /** All alike: one {@code randint(min, max + 1, (batch,))}. */
        UNIFORM,
        /** Floor of the range times sigmoid of normal numbers: one {@code randn(batch)}. */
        LOGIT_NORMAL
    }

    public TimestepSampler {
        if (min < 0 || max < min || !(std > 0)) {
            throw new BadInputException("timesteps from " + min + " to " + max + ", std " + std
                    + "; expected 0 <= min <= max and std above 0");
        }
    }

    /** One timestep for each image of a batch: int64 [batch]. */
    public Tensor sample(BatchDraws draws) {
        long range = max - min + 1;
        if (distribution == Distribution.UNIFORM) {
            return draws.randint(range).add(new Scalar(min));
        }
        Tensor share = draws.randn().mul(new Scalar(std)).add(new Scalar(mean)).sigmoid();
        Tensor steps = share.mul(new Scalar((double) range)).floor().to(torch.kLong());
        return steps.clamp_max(new Scalar(range - 1)).add(new Scalar(min));
    }
}
