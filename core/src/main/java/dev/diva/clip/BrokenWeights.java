package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.Weights;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** Weights of training that went wrong, or files that were damaged: numbers that are none. */
final class BrokenWeights {
    private BrokenWeights() {}

    /** The error of a model that gives NaN; names the first of its tensors that holds one. */
    static BadInputException in(Weights weights) {
        for (Map.Entry<String, Tensor> tensor : weights.tensors().entrySet()) {
            if (hasNan(tensor.getValue())) {
                return in(weights.location(), tensor.getKey());
            }
        }
        return new BadInputException(weights.location()
                + ": an embedding is NaN: the model's weights are broken, or too large for this precision");
    }

    /**
     * Looks at one tensor.
     *
     * @throws CheckpointException when it holds NaN
     */
    static void refuse(String location, String name, Tensor tensor) {
        if (hasNan(tensor)) {
            throw in(location, name);
        }
    }

    private static CheckpointException in(String location, String name) {
        return new CheckpointException(
                location + ": " + name + " holds NaN: the model's weights are broken; take another checkpoint");
    }

    private static boolean hasNan(Tensor tensor) {
        try (PointerScope scope = new PointerScope()) {
            return tensor.is_floating_point() && tensor.isnan().any().item_bool();
        }
    }
}
