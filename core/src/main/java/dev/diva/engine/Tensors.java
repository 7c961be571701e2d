package dev.diva.engine;

import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Between Java arrays and libtorch tensors, by copy, and the one place where training asks a device for values: losses, norms, what a
 * matching decides on; and parts of tensors. A tensor of libtorch's meta device, which has a shape and no values, reads as zeros: shapes can
 * be run through everything.
 */
public final class Tensors {
    /** Numbers that {@link #as} converts at once: 4 MiB in fp32, where a whole matrix may be half a gigabyte. */
    private static final long AT_ONCE = 1L << 20;

    private Tensors() {}

    /** fp32 tensor of that shape with a copy of the values in row-major order. */
    public static Tensor of(float[] values, long... shape) {
        Tensor tensor = torch.empty(shape, new TensorOptions(ScalarType.Float), null);
        requireSize(tensor, values.length);
        new FloatPointer(tensor.data_ptr()).put(values);
        return tensor;
    }

    /**
     * Rows of one length, fp32 [rows, length].
     *
     * @throws IllegalArgumentException when one differs from the first
     */
    public static Tensor ofRows(float[]... rows) {
        int length = rows[0].length;
        Tensor tensor = torch.empty(new long[] {rows.length, length}, new TensorOptions(ScalarType.Float), null);
        FloatPointer values = new FloatPointer(tensor.data_ptr());
        for (int i = 0; i < rows.length; i++) {
            if (rows[i].length != length) {
                throw new IllegalArgumentException(
                        "row " + i + " has " + rows[i].length + " values, the first has " + length);
            }
            values.position((long) i * length).put(rows[i]);
        }
        return tensor;
    }

    /** int64 tensor of that shape with a copy of the values in row-major order. */
    public static Tensor of(long[] values, long... shape) {
        Tensor tensor = torch.empty(shape, new TensorOptions(ScalarType.Long), null);
        requireSize(tensor, values.length);
        new LongPointer(tensor.data_ptr()).put(values);
        return tensor;
    }

    /**
     * A tensor where it is needed, in that type. What the processor has goes to a GPU from memory that the system leaves in its place, in a
     * stream of its own, so that the copy waits for nothing and is waited for by nothing but the work behind it.
     */
    public static Tensor onto(Tensor tensor, Device device, ScalarType type) {
        if (device.is_cuda() && tensor.is_cpu()) {
            return CopyStream.onto(tensor, device).to(type);
        }
        return tensor.to(device, type);
    }

    /**
     * The tensor in another type; itself where it is of it. fp16 becomes bf16 by way of fp32, some numbers at a time: libtorch 2.10 converts
     * them one by one, which takes twice as long and more.
     */
    public static Tensor as(Tensor tensor, ScalarType type) {
        boolean isSlow = tensor.is_cpu()
                && tensor.is_contiguous()
                && tensor.scalar_type().intern() == ScalarType.Half
                && type.intern() == ScalarType.BFloat16;
        return isSlow ? Scopes.returning(() -> byWayOfFp32(tensor)) : tensor.to(type);
    }

    private static Tensor byWayOfFp32(Tensor tensor) {
        Tensor result = torch.empty(tensor.shape(), new TensorOptions(ScalarType.BFloat16), null);
        Tensor from = tensor.view(-1);
        Tensor to = result.view(-1);
        for (long at = 0; at < from.numel(); at += AT_ONCE) {
            long length = Math.min(AT_ONCE, from.numel() - at);
            try (PointerScope scope = new PointerScope()) {
                to.narrow(0, at, length).copy_(from.narrow(0, at, length).to(ScalarType.Float));
            }
        }
        return result;
    }

    /** The tensor in the processor's memory; of a tensor that has no values, zeros. */
    public static Tensor here(Tensor tensor) {
        return tensor.is_meta() ? torch.zeros(tensor.shape(), new TensorOptions(tensor.scalar_type())) : tensor.cpu();
    }

    /** The value of a tensor of one number, converted to fp32. */
    public static float toFloat(Tensor tensor) {
        return toFloats(tensor)[0];
    }

    /** The values in row-major order, converted to fp32. */
    public static float[] toFloats(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        if (tensor.is_meta()) {
            return values;
        }
        Tensor contiguous = tensor.detach().cpu().to(ScalarType.Float).contiguous();
        new FloatPointer(contiguous.data_ptr()).get(values);
        return values;
    }

    /** The values in row-major order, converted to int64. */
    public static long[] toLongs(Tensor tensor) {
        long[] values = new long[Math.toIntExact(tensor.numel())];
        if (tensor.is_meta()) {
            return values;
        }
        Tensor contiguous = tensor.detach().cpu().to(ScalarType.Long).contiguous();
        new LongPointer(contiguous.data_ptr()).get(values);
        return values;
    }

    /**
     * Neighbouring parts as views. Their gradients are joined once, where narrowing would fill a tensor as large as the whole for each part.
     *
     * @param sizes of the parts along the axis, which are all of it
     */
    public static List<Tensor> split(Tensor tensor, long axis, long... sizes) {
        return List.of(tensor.split_with_sizes(sizes, axis).get());
    }

    private static void requireSize(Tensor tensor, int length) {
        if (tensor.numel() != length) {
            throw new IllegalArgumentException(length + " values for a tensor of " + tensor.numel());
        }
    }
}
