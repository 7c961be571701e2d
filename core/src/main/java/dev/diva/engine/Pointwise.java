package dev.diva.engine;

import java.nio.LongBuffer;
import org.bytedeco.dnnl.eltwise_backward;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
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

    /** Adds what makes it another function to the key of a primitive. */
    void addTo(LongBuffer key) {
        key.put(kind.value).put(Float.floatToIntBits(alpha));
    }

    /** {@link #apply} without a graph. */
    Tensor forward(Tensor x) {
        Tensor y = torch.empty_like(x);
        LongBuffer key = Prepared.key(dnnl.dnnl_eltwise);
        addTo(key);
        Prepared.add(key, x);
        Prepared.add(key, y);
        Prepared.of(key, () -> {
                    memory.desc ofX = OneDnn.description(x);
                    memory.desc ofY = OneDnn.description(y);
                    return new Prepared(new eltwise_forward(forward(ofX, ofY)))
                            .with(ofX, dnnl.DNNL_ARG_SRC)
                            .with(ofY, dnnl.DNNL_ARG_DST);
                })
                .run(x, y);
        return y;
    }

    /** The gradient of x for that of {@link #forward}, both contiguous. */
    Tensor backward(Tensor x, Tensor dy) {
        Tensor dx = torch.empty_like(dy);
        LongBuffer key = Prepared.key(dnnl.dnnl_eltwise);
        addTo(key);
        Prepared.add(key, x);
        Prepared.add(key, dy);
        Prepared.add(key, dx);
        Prepared.of(key, () -> {
                    memory.desc ofX = OneDnn.description(x);
                    memory.desc ofGradient = OneDnn.description(dy);
                    return new Prepared(new eltwise_backward(new eltwise_backward.primitive_desc(
                                    OneDnn.CPU, kind, ofGradient, ofGradient, ofX, alpha, 0, forward(ofX, ofX))))
                            .with(ofX, dnnl.DNNL_ARG_SRC)
                            .with(ofGradient, dnnl.DNNL_ARG_DIFF_DST)
                            .with(OneDnn.description(dx), dnnl.DNNL_ARG_DIFF_SRC);
                })
                .run(x, dy, dx);
        return dx;
    }

    private eltwise_forward.primitive_desc forward(memory.desc x, memory.desc y) {
        return new eltwise_forward.primitive_desc(OneDnn.CPU, dnnl.prop_kind.forward_training, kind, x, y, alpha, 0);
    }
}
