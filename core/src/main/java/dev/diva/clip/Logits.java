package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Tensors;
import java.util.OptionalDouble;
import org.bytedeco.pytorch.Tensor;

/**
 * How cosine similarities become logits.
 *
 * @param location of the weights, for messages
 * @param logScale as it is stored, empty where it is not
 * @param storedBias SigLIP's, empty for CLIP
 */
record Logits(String location, OptionalDouble logScale, OptionalDouble storedBias) {
    static Logits of(Weights weights, TensorSource source) {
        return new Logits(
                weights.location(), number(weights, source, "logit_scale"), number(weights, source, "logit_bias"));
    }

    /**
     * A factor.
     *
     * @throws BadInputException when none is stored
     */
    float scale() {
        return (float) Math.exp(logScale.orElseThrow(() -> new BadInputException(location + ": has no logit_scale")));
    }

    /** A summand, 0 where none is stored. */
    float bias() {
        return (float) storedBias.orElse(0);
    }

    private static OptionalDouble number(Weights weights, TensorSource source, String name) {
        TensorInfo info = source.info(name);
        if (info == null) {
            return OptionalDouble.empty();
        }
        long[] shape = info.numel() == 1 ? info.shape() : new long[0];
        Tensor value = weights.vector(name, shape);
        return OptionalDouble.of(value.numel() == 1 ? Tensors.toFloats(value)[0] : Double.NaN);
    }
}
