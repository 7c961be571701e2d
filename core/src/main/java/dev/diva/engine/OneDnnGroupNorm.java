package dev.diva.engine;

import java.nio.LongBuffer;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.group_normalization_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Group norm by oneDNN, whose threads have an image each. libtorch's takes two to three times as long at the fine levels of a UNet, where a
 * group has few channels, which lie side by side.
 *
 * @param groups of channels
 * @param weight fp32 [channels], frozen
 * @param bias fp32 [channels], frozen
 * @param eps added to the variance
 */
record OneDnnGroupNorm(long groups, Tensor weight, Tensor bias, double eps) {
    /** Whether it serves, and is faster: in bf16, with two images for each thread. */
    boolean isFaster(Tensor x) {
        return x.scalar_type().intern() == ScalarType.BFloat16
                && OneDnn.isFast(x)
                && x.dim() == 4
                && x.size(0) >= 2L * torch.get_num_threads()
                && x.is_contiguous(MemoryFormat.ChannelsLast)
                && !weight.requires_grad()
                && !bias.requires_grad();
    }

    /**
     * Normalises.
     *
     * @param x [images, channels, height, width], its channels side by side in memory
     * @return as x
     */
    Tensor forward(Tensor x) {
        return Scopes.returning(() -> {
            if (!OwnGradient.isNeeded(x)) {
                return normed(x, null, null, null);
            }
            Tensor mean = statistics(x);
            Tensor variance = statistics(x);
            Tensor y = OwnGradient.withoutGraph(() -> normed(x, mean, variance, null));
            Tensor reciprocal = variance.add(new Scalar(eps)).rsqrt();
            return OwnGradient.tie(
                    y,
                    new Tensor[] {x},
                    (dy, saved) -> new Tensor[] {backward(dy, saved[0], saved[1], saved[2])},
                    x,
                    mean,
                    reciprocal);
        });
    }

    /** silu of {@link #forward} without a gradient, rounded once. */
    Tensor silu(Tensor x) {
        return OwnGradient.withoutGraph(() -> normed(x, null, null, Pointwise.SILU));
    }

    private Tensor statistics(Tensor x) {
        return torch.empty(new long[] {x.size(0), groups}, new TensorOptions(ScalarType.Float), null);
    }

    /**
     * Normalises without a graph.
     *
     * @param mean of each group of an image, written where it is not null, as the variance is
     * @param after of each number, or null for none
     */
    private Tensor normed(Tensor x, Tensor mean, Tensor variance, Pointwise after) {
        Tensor y = torch.empty_like(x);
        LongBuffer key = Prepared.key(dnnl.dnnl_group_normalization)
                .put(groups)
                .put(Double.doubleToLongBits(eps))
                .put(mean == null ? 0 : 1);
        Prepared.add(key, x);
        if (after != null) {
            after.addTo(key);
        }
        Prepared kernel = Prepared.of(key, () -> prepared(x, mean, after));
        if (mean == null) {
            kernel.run(x, y, weight, bias);
        } else {
            kernel.run(x, y, weight, bias, mean, variance);
        }
        return y;
    }

    private Prepared prepared(Tensor x, Tensor mean, Pointwise after) {
        post_ops steps = new post_ops();
        if (after != null) {
            steps.append_eltwise(after.kind, after.alpha, 0);
        }
        primitive_attr attributes = Prepared.attributes();
        attributes.set_post_ops(steps);
        dnnl.prop_kind kind = mean == null ? dnnl.prop_kind.forward_inference : dnnl.prop_kind.forward_training;
        memory.desc layout = OneDnn.description(x);
        memory.desc ofWeight = OneDnn.description(weight);
        boolean mayBeEmpty = false;
        group_normalization_forward.primitive_desc kernel = new group_normalization_forward.primitive_desc(
                OneDnn.CPU,
                kind.value,
                layout,
                layout,
                groups,
                (float) eps,
                dnnl.normalization_flags.use_scale.value | dnnl.normalization_flags.use_shift.value,
                attributes,
                mayBeEmpty);
        Prepared prepared = new Prepared(new group_normalization_forward(kernel))
                .with(layout, dnnl.DNNL_ARG_SRC)
                .with(layout, dnnl.DNNL_ARG_DST)
                .with(ofWeight, dnnl.DNNL_ARG_SCALE)
                .with(ofWeight, dnnl.DNNL_ARG_SHIFT);
        if (mean != null) {
            memory.desc ofGroups = OneDnn.description(mean);
            prepared.with(ofGroups, dnnl.DNNL_ARG_MEAN).with(ofGroups, dnnl.DNNL_ARG_VARIANCE);
        }
        return prepared.withScratchpad(kernel.scratchpad_desc());
    }

    private Tensor backward(Tensor dy, Tensor x, Tensor mean, Tensor reciprocal) {
        return torch.native_group_norm_backward(
                        dy.contiguous(MemoryFormat.ChannelsLast),
                        x,
                        mean,
                        reciprocal,
                        new TensorOptional(weight),
                        x.size(0),
                        x.size(1),
                        x.size(2) * x.size(3),
                        groups,
                        new BoolPointer(3).put(0, true).put(1, false).put(2, false))
                .get0()
                .detach(); // get0() is a place in the tuple, which goes
    }
}
