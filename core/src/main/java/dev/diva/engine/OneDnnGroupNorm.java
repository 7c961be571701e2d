package dev.diva.engine;

import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.group_normalization_forward;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.javacpp.PointerScope;
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
                return normed(x, null, null, new post_ops());
            }
            Tensor mean = statistics(x);
            Tensor variance = statistics(x);
            Tensor y = OwnGradient.withoutGraph(() -> normed(x, mean, variance, new post_ops()));
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
        post_ops after = new post_ops();
        after.append_eltwise(Pointwise.SILU.kind, Pointwise.SILU.alpha, 0);
        return OwnGradient.withoutGraph(() -> normed(x, null, null, after));
    }

    private Tensor statistics(Tensor x) {
        return torch.empty(new long[] {x.size(0), groups}, new TensorOptions(ScalarType.Float), null);
    }

    /** @param mean of each group of an image, written where it is not null, as the variance is */
    private Tensor normed(Tensor x, Tensor mean, Tensor variance, post_ops after) {
        Tensor y = torch.empty_like(x);
        try (PointerScope scope = new PointerScope()) {
            primitive_attr attributes = new primitive_attr();
            attributes.set_post_ops(after);
            dnnl.prop_kind kind = mean == null ? dnnl.prop_kind.forward_inference : dnnl.prop_kind.forward_training;
            IntMemoryMap arguments = new IntMemoryMap()
                    .put(dnnl.DNNL_ARG_SRC, OneDnn.memory(x))
                    .put(dnnl.DNNL_ARG_SCALE, OneDnn.memory(weight))
                    .put(dnnl.DNNL_ARG_SHIFT, OneDnn.memory(bias))
                    .put(dnnl.DNNL_ARG_DST, OneDnn.memory(y));
            if (mean != null) {
                arguments
                        .put(dnnl.DNNL_ARG_MEAN, OneDnn.memory(mean))
                        .put(dnnl.DNNL_ARG_VARIANCE, OneDnn.memory(variance));
            }
            boolean mayBeEmpty = false;
            OneDnn.run(
                    new group_normalization_forward(new group_normalization_forward.primitive_desc(
                            OneDnn.CPU,
                            kind.value,
                            OneDnn.description(x),
                            OneDnn.description(y),
                            groups,
                            (float) eps,
                            dnnl.normalization_flags.use_scale.value | dnnl.normalization_flags.use_shift.value,
                            attributes,
                            mayBeEmpty)),
                    arguments);
        }
        return y;
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
