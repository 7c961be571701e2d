package dev.diva.engine;

import org.bytedeco.dnnl.IntMemoryMap;
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
        try (PointerScope scope = new PointerScope()) {
            memory.desc description = OneDnn.description(x);
            memory place = OneDnn.memory(x);
            OneDnn.run(
                    new softmax_forward(forward(description, axis(x))),
                    new IntMemoryMap().put(dnnl.DNNL_ARG_SRC, place).put(dnnl.DNNL_ARG_DST, place));
        }
    }

    /** Replaces the gradient of weights, in their type and layout, by that of the scores: w (dw - sum w dw). */
    static void backward(Tensor weights, Tensor gradient) {
        try (PointerScope scope = new PointerScope()) {
            memory.desc description = OneDnn.description(gradient);
            memory place = OneDnn.memory(gradient);
            softmax_backward.primitive_desc kernel = new softmax_backward.primitive_desc(
                    OneDnn.CPU,
                    dnnl.algorithm.softmax_accurate,
                    description,
                    description,
                    OneDnn.description(weights),
                    axis(gradient),
                    forward(OneDnn.description(weights), axis(weights)));
            if (!OneDnn.isFast(kernel.impl_info_str().getString())) { // none for AVX2
                Tensor sums = weights.mul(gradient).sum(new long[] {-1}, true, new ScalarTypeOptional());
                gradient.sub_(sums).mul_(weights);
                return;
            }
            OneDnn.run(
                    new softmax_backward(kernel),
                    new IntMemoryMap()
                            .put(dnnl.DNNL_ARG_DST, OneDnn.memory(weights))
                            .put(dnnl.DNNL_ARG_DIFF_DST, place)
                            .put(dnnl.DNNL_ARG_DIFF_SRC, place));
        }
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
