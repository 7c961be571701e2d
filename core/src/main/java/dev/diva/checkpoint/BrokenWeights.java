package dev.diva.checkpoint;

import dev.diva.BadInputException;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** Weights of training that went wrong, or files that were damaged: numbers that are none. */
public final class BrokenWeights {
    private BrokenWeights() {}

    /**
     * The values that a model computed.
     *
     * @throws BadInputException for NaN or infinity; names the first of the model's tensors that holds such a number
     */
    public static float[] requireNumbers(Tensor computed, Weights weights) {
        float[] values = Tensors.toFloats(computed);
        for (float value : values) {
            if (!Float.isFinite(value)) {
                refuse(weights);
                throw in(weights);
            }
        }
        return values;
    }

    /**
     * Looks at what a frozen model computed, before anything is made of it.
     *
     * @throws BadInputException for NaN or infinity; names the first of the model's tensors that holds such a number
     */
    public static void requireFinite(Tensor computed, Weights... weights) {
        if (!isFinite(computed)) {
            for (Weights one : weights) {
                refuse(one);
            }
            throw in(weights[0]);
        }
    }

    /**
     * Looks at all tensors of a model.
     *
     * @throws CheckpointException naming the first that holds NaN or infinity
     */
    public static void refuse(Weights weights) {
        weights.tensors().forEach((name, tensor) -> refuse(weights.location(), name, tensor));
    }

    /** The first tensor that holds NaN or infinity, in one line for people; empty when there is none. */
    public static Optional<String> find(String location, TensorSource tensors) {
        for (TensorInfo info : tensors.tensors()) {
            try (PointerScope scope = new PointerScope()) {
                if (!isFinite(tensors.readOnce(info.name()))) {
                    return Optional.of(in(location, info.name()).getMessage());
                }
            }
        }
        return Optional.empty();
    }

    /**
     * Looks at one tensor.
     *
     * @throws CheckpointException when it holds NaN or infinity
     */
    public static void refuse(String location, String name, Tensor tensor) {
        if (!isFinite(tensor)) {
            throw in(location, name);
        }
    }

    private static BadInputException in(Weights weights) {
        boolean isExact = weights.placement().precision() == Precision.FP32;
        return new BadInputException(weights.location()
                + ": what it computes is NaN or infinite: the model's weights are broken"
                + (isExact ? "; take another checkpoint" : ", or too large for bf16; try fp32, or another checkpoint"));
    }

    private static CheckpointException in(String location, String name) {
        return new CheckpointException(location + ": " + name
                + " holds NaN or infinity: the model's weights are broken; take another checkpoint");
    }

    /** Whether a tensor holds neither NaN nor infinity; asks a device for a value. */
    public static boolean isFinite(Tensor tensor) {
        try (PointerScope scope = new PointerScope()) {
            return tensor.is_meta()
                    || !tensor.is_floating_point()
                    || tensor.isfinite().all().item_bool();
        }
    }
}
