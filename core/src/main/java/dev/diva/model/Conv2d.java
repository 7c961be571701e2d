package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Kernels;
import dev.diva.engine.Scopes;
import org.bytedeco.pytorch.Tensor;

/** Two-dimensional convolution with square kernels, in the type of the input. */
public final class Conv2d {
    private final Tensor weight; // [out, in / groups, kernel, kernel]
    private final Tensor bias; // [out] or null
    private final Geometry geometry;
    private final long groups; // of channels, each of which is convolved with itself alone

    /** Kernel size, stride and padding on both axes. */
    public record Geometry(long kernel, long stride, long padding) {
        /** 3 x 3, same size. */
        public static final Geometry SAME_3 = new Geometry(3, 1, 1);
        /** 1 x 1. */
        public static final Geometry POINT = new Geometry(1, 1, 0);
    }

    private Conv2d(Tensor weight, Tensor bias, Geometry geometry, long groups) {
        this.weight = weight;
        this.bias = bias;
        this.geometry = geometry;
        this.groups = groups;
    }

    /** Reads {@code weight} [out, in, kernel, kernel] and {@code bias} [out]. */
    public static Conv2d of(Weights weights, long in, long out, Geometry geometry) {
        return new Conv2d(
                weights.matrix("weight", out, in, geometry.kernel, geometry.kernel),
                weights.matrix("bias", out),
                geometry,
                1);
    }

    /** Reads {@code weight} alone. */
    public static Conv2d withoutBias(Weights weights, long in, long out, Geometry geometry) {
        return new Conv2d(weights.matrix("weight", out, in, geometry.kernel, geometry.kernel), null, geometry, 1);
    }

    /** Reads {@code weight} [channels, 1, kernel, kernel] of channels that do not mix, and {@code bias} [channels]; same size for odd kernels. */
    public static Conv2d depthwise(Weights weights, long channels, long kernel) {
        return new Conv2d(
                weights.matrix("weight", channels, 1, kernel, kernel),
                weights.matrix("bias", channels),
                new Geometry(kernel, 1, kernel / 2),
                channels);
    }

    /** Reads {@code weight} [channels, channels / groups, kernel, kernel] alone, of groups that do not mix; same size for odd kernels. */
    public static Conv2d groupedWithoutBias(Weights weights, long channels, long groups, long kernel) {
        return new Conv2d(
                weights.matrix("weight", channels, channels / groups, kernel, kernel),
                null,
                new Geometry(kernel, 1, kernel / 2),
                groups);
    }

    /** Reads patch kernels that are stored as a linear layer, {@code weight} [out, side * side * 3] with the channels last, and {@code bias} [out]. */
    public static Conv2d ofFlatPatches(Weights weights, long out, long side) {
        Tensor flat = weights.matrix("weight", out, side * side * 3);
        Tensor kernels = Scopes.returning(() -> flat.view(out, side, side, 3).permute(0, 3, 1, 2));
        return new Conv2d(weights.keep(kernels), weights.matrix("bias", out), new Geometry(side, side, 0), 1);
    }

    /**
     * Convolves.
     *
     * @param x [batch, in, height, width]
     * @return [batch, out, height', width']
     */
    public Tensor forward(Tensor x) {
        Tensor b = bias == null ? null : bias.to(x.scalar_type());
        return Kernels.conv2d(x, weight.to(x.scalar_type()), b, geometry.stride, geometry.padding, groups);
    }
}
