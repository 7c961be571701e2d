package dev.diva.engine;

import java.nio.LongBuffer;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.softmax_backward;
import org.bytedeco.dnnl.softmax_forward;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;

/** Softmax over the last axis in the memory of its input. */
final class Softmax {
    private Softmax() {}

    /** Replaces scores by weights that sum to 1. */
    static void forward(Tensor x) {
        LongBuffer key = Prepared.key(dnnl.dnnl_softmax);
        Prepared.add(key, x);
        Prepared.of(key, () -> {
                    memory.desc layout = OneDnn.description(x);
                    return new Prepared(new softmax_forward(forward(layout, axis(x))))
                            .with(layout, dnnl.DNNL_ARG_SRC, dnnl.DNNL_ARG_DST);
                })
                .run(x);
    }

    /** Replaces the gradient of weights, in their type and layout, by that of the scores: w (dw - sum w dw). */
    static void backward(Tensor weights, Tensor gradient) {
        LongBuffer key = Prepared.key(dnnl.dnnl_softmax);
        Prepared.add(key, weights);
        Prepared.add(key, gradient);
        Prepared kernel = Prepared.of(key, () -> ofGradient(weights, gradient));
        if (kernel != Prepared.NONE) {
            kernel.run(weights, gradient);
            return;
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor sums = weights.mul(gradient).sum(new long[] {-1}, true, new ScalarTypeOptional());
            gradient.sub_(sums).mul_(weights);
        }
    }

    /** None for AVX2. */
    private static Prepared ofGradient(Tensor weights, Tensor gradient) {
        memory.desc ofWeights = OneDnn.description(weights);
        memory.desc layout = OneDnn.description(gradient);
        softmax_backward.primitive_desc kernel = new softmax_backward.primitive_desc(
                OneDnn.CPU,
                dnnl.algorithm.softmax_accurate,
                layout,
                layout,
                ofWeights,
                axis(gradient),
                forward(ofWeights, axis(weights)));
        return OneDnn.isFast(kernel.impl_info_str().getString())
                ? new Prepared(new softmax_backward(kernel))
                        .with(ofWeights, dnnl.DNNL_ARG_DST)
                        .with(layout, dnnl.DNNL_ARG_DIFF_DST, dnnl.DNNL_ARG_DIFF_SRC)
                : Prepared.NONE;
    }

    private static softmax_forward.primitive_desc forward(memory.desc description, int axis) {
        return new softmax_forward.primitive_desc(
                OneDnn.CPU,
                dnnl.prop_kind.forward_training,
                dnnl.algorithm.softmax_accurate,
                description,
                description,
                axis);
    }

    private static int axis(Tensor x) {
        return Math.toIntExact(x.dim() - 1);
    }
}
