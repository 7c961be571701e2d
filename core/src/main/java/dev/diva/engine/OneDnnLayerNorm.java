package dev.diva.engine;

import java.nio.LongBuffer;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.layer_normalization_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Layer norm over the last axis by oneDNN, in half of libtorch's time in bf16.
 *
 * @param weight fp32 [width]
 * @param bias fp32 [width]
 * @param eps added to the variance
 */
record OneDnnLayerNorm(Tensor weight, Tensor bias, double eps) {
    /** Whether it serves: in bf16 where no gradient follows, and rows lie behind each other, since its kernel (3.11) passes over strides. */
    boolean isFaster(Tensor x) {
        return x.scalar_type().intern() == ScalarType.BFloat16
                && OneDnn.isFast(x)
                && x.is_contiguous()
                && weight != null
                && weight.scalar_type().intern() == ScalarType.Float
                && !OwnGradient.isNeeded(x, weight, bias);
    }

    /** Normalises [..., width]. */
    Tensor forward(Tensor x) {
        Tensor y = torch.empty_like(x);
        LongBuffer key = Prepared.key(dnnl.dnnl_layer_normalization).put(Double.doubleToLongBits(eps));
        Prepared.add(key, x);
        Prepared.of(key, () -> {
                    memory.desc layout = OneDnn.description(x);
                    memory.desc ofWeight = OneDnn.description(weight);
                    return new Prepared(new layer_normalization_forward(new layer_normalization_forward.primitive_desc(
                                    OneDnn.CPU,
                                    dnnl.prop_kind.forward_inference.value,
                                    layout,
                                    layout,
                                    (float) eps,
                                    dnnl.normalization_flags.use_scale.value
                                            | dnnl.normalization_flags.use_shift.value)))
                            .with(layout, dnnl.DNNL_ARG_SRC)
                            .with(layout, dnnl.DNNL_ARG_DST)
                            .with(ofWeight, dnnl.DNNL_ARG_SCALE)
                            .with(ofWeight, dnnl.DNNL_ARG_SHIFT);
                })
                .run(x, y, weight, bias);
        return y;
    }
}
