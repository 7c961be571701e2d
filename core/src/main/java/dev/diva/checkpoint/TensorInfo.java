package dev.diva.checkpoint;

import java.util.Arrays;

/**
 * What a checkpoint says of a tensor without reading it.
 *
 * @param name full key in the file
 * @param dtype storage type
 * @param shape sizes; empty for a scalar
 */
public record TensorInfo(String name, Dtype dtype, long... shape) {
    public TensorInfo {
        for (long size : shape) {
            if (size < 0) {
                throw new IllegalArgumentException(name + ": negative size in " + Arrays.toString(shape));
            }
        }
        shape = shape.clone();
    }

    /** Number of elements. */
    public long numel() {
        long numel = 1;
        for (long size : shape) {
            numel = Math.multiplyExact(numel, size);
        }
        return numel;
    }

    /** The same under another name. */
    public TensorInfo named(String other) {
        return new TensorInfo(other, dtype, shape);
    }

    /** The same with real numbers in fp32. */
    public TensorInfo asFp32() {
        return dtype.isFloating() ? new TensorInfo(name, Dtype.F32, shape) : this;
    }

    /** Size in bytes of the dense tensor. */
    public long bytes() {
        return Math.multiplyExact(numel(), (long) dtype.bytes());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TensorInfo info
                && name.equals(info.name)
                && dtype == info.dtype
                && Arrays.equals(shape, info.shape);
    }

    @Override
    public int hashCode() {
        return 31 * name.hashCode() + Arrays.hashCode(shape);
    }

    @Override
    public String toString() {
        return name + " " + dtype + " " + Arrays.toString(shape);
    }
}
