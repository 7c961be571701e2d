package dev.diva.checkpoint;

import dev.diva.BadInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** Writes GGUF, version 3: ggml's files of values and tensors, of which fp32 and fp16 are known here. */
public final class GgufWriter {
    private static final byte[] MAGIC = "GGUF".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 3;
    private static final int ALIGNMENT = 32;
    // Numbers of the types of values.
    private static final int UINT32 = 4;
    private static final int INT32 = 5;
    private static final int FLOAT32 = 6;
    private static final int BOOL = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private final ByteArrayOutputStream header = new ByteArrayOutputStream();

    private GgufWriter() {}

    /**
     * Writes a file, which appears complete or not at all.
     *
     * @param values strings, booleans, whole numbers (32 bits, not negative), floats, and arrays of int and float, by key
     * @param tensors fp32 or fp16, in the order of the file
     * @param make gives each with the type and shape of its info
     * @param overwrite whether another file of this kind is replaced
     * @throws BadInputException when something else is there, or it cannot be written
     */
    public static void write(
            Path file,
            Map<String, Object> values,
            List<TensorInfo> tensors,
            Function<TensorInfo, Tensor> make,
            boolean overwrite) {
        requireReplaceable(file, overwrite);
        byte[] start = new GgufWriter().start(values, tensors);
        AtomicFile.write(file, channel -> {
            SafetensorsWriter.writeFully(channel, ByteBuffer.wrap(start));
            for (TensorInfo info : tensors) {
                try (PointerScope scope = new PointerScope()) {
                    SafetensorsWriter.writeTensor(channel, info, make.apply(info));
                }
                SafetensorsWriter.writeFully(channel, ByteBuffer.allocate(gap(info.bytes())));
            }
        });
    }

    private static void requireReplaceable(Path file, boolean overwrite) {
        if (!Files.exists(file)) {
            return;
        }
        if (!overwrite) {
            throw new BadInputException(file + ": is there already; choose another place or add --overwrite");
        }
        try (var in = Files.newInputStream(file)) {
            if (Files.isRegularFile(file) && Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
                return;
            }
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getMessage(), e);
        }
        throw new BadInputException(file + ": is no GGUF file, and is not replaced; choose another place");
    }

    private static int gap(long length) {
        return (int) ((ALIGNMENT - length % ALIGNMENT) % ALIGNMENT);
    }

    private byte[] start(Map<String, Object> values, List<TensorInfo> tensors) {
        header.writeBytes(MAGIC);
        number(VERSION);
        longNumber(tensors.size());
        longNumber(values.size());
        values.forEach((key, value) -> {
            string(key);
            value(value);
        });
        long offset = 0;
        for (TensorInfo info : tensors) {
            string(info.name());
            long[] shape = info.shape();
            number(shape.length);
            for (int i = shape.length - 1; i >= 0; i--) { // ggml counts axes from the innermost
                longNumber(shape[i]);
            }
            number(type(info));
            longNumber(offset);
            offset += info.bytes() + gap(info.bytes());
        }
        header.writeBytes(new byte[gap(header.size())]);
        return header.toByteArray();
    }

    private static int type(TensorInfo info) {
        return switch (info.dtype()) {
            case F32 -> 0;
            case F16 -> 1;
            default -> throw new IllegalArgumentException(info + ": expected F32 or F16");
        };
    }

    private void value(Object value) {
        if (value instanceof String text) {
            number(STRING);
            string(text);
        } else if (value instanceof Boolean flag) {
            number(BOOL);
            header.write(flag ? 1 : 0);
        } else if (value instanceof Integer whole) {
            number(UINT32);
            number(whole);
        } else if (value instanceof Float real) {
            number(FLOAT32);
            number(Float.floatToIntBits(real));
        } else if (value instanceof int[] wholes) {
            array(INT32, wholes);
        } else if (value instanceof float[] reals) {
            int[] bits = new int[reals.length];
            Arrays.setAll(bits, i -> Float.floatToIntBits(reals[i]));
            array(FLOAT32, bits);
        } else {
            throw new IllegalArgumentException("no type of GGUF for " + value);
        }
    }

    private void array(int type, int... items) {
        number(ARRAY);
        number(type);
        longNumber(items.length);
        for (int item : items) {
            number(item);
        }
    }

    private void string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        longNumber(bytes.length);
        header.writeBytes(bytes);
    }

    private void number(int value) {
        header.writeBytes(ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
    }

    private void longNumber(long value) {
        header.writeBytes(ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array());
    }
}
