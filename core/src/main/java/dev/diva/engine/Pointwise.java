package dev.diva.engine;

import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.eltwise_backward;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** A function of each number, which a product can apply to each sum before it is rounded and stored. */
public enum Pointwise {
    /** x sigmoid(1.702 x). */
    QUICK_GELU(dnnl.algorithm.eltwise_swish, 1.702f),
    /** The exact GELU, with the error function. */
    GELU(dnnl.algorithm.eltwise_gelu_erf, 0),
    /** GELU's approximation with the hyperbolic tangent. */
    GELU_TANH(dnnl.algorithm.eltwise_gelu_tanh, 0),
    /** x sigmoid(x). */
    SILU(dnnl.algorithm.eltwise_swish, 1);

    final dnnl.algorithm kind;
    final float alpha;

    Pointwise(dnnl.algorithm kind, float alpha) {
        this.kind = kind;
        this.alpha = alpha;
    }

    /** Whether {@link #apply} takes one pass where libtorch takes several, which round in between: bf16 on a processor with kernels for it. */
    public static boolean isOnePass(Tensor x) {
        return x.scalar_type().intern() == ScalarType.BFloat16 && OneDnn.isFast(x);
    }

    /** The function by oneDNN, rounded once; its backward keeps x alone. */
    public Tensor apply(Tensor x) {
        Tensor y = OwnGradient.withoutGraph(() -> forward(x));
        return OwnGradient.isNeeded(x)
                ? OwnGradient.tie(
                        y, new Tensor[] {x}, (dy, saved) -> new Tensor[] {backward(saved[0], dy.contiguous())}, x)
                : y;
    }

    /** {@link #apply} without a graph. */
    Tensor forward(Tensor x) {
        Tensor y = torch.empty_like(x);
        try (PointerScope scope = new PointerScope()) {
            OneDnn.run(
                    new eltwise_forward(forward(OneDnn.description(x), OneDnn.description(y))),
                    new IntMemoryMap()
                            .put(dnnl.DNNL_ARG_SRC, OneDnn.memory(x))
                            .put(dnnl.DNNL_ARG_DST, OneDnn.memory(y)));
        }
        return y;
    }

    /** The gradient of x for that of {@link #forward}, both contiguous. */
    Tensor backward(Tensor x, Tensor dy) {
        Tensor dx = torch.empty_like(dy);
        try (PointerScope scope = new PointerScope()) {
            memory.desc ofX = OneDnn.description(x);
            memory.desc ofGradient = OneDnn.description(dy);
            OneDnn.run(
                    new eltwise_backward(new eltwise_backward.primitive_desc(
                            OneDnn.CPU, kind, ofGradient, ofGradient, ofX, alpha, 0, forward(ofX, ofX))),
                    new IntMemoryMap()
                            .put(dnnl.DNNL_ARG_SRC, OneDnn.memory(x))
                            .put(dnnl.DNNL_ARG_DIFF_DST, OneDnn.memory(dy))
                            .put(dnnl.DNNL_ARG_DIFF_SRC, OneDnn.memory(dx)));
        }
        return dx;
    }

    private eltwise_forward.primitive_desc forward(memory.desc x, memory.desc y) {
        return new eltwise_forward.primitive_desc(OneDnn.CPU, dnnl.prop_kind.forward_training, kind, x, y, alpha, 0);
    }
}
