package dev.diva.checkpoint.pickle;

import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.Dtype;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** Writes a state dictionary as {@code torch.save} does, so that {@code torch.load} reads it, also with {@code weights_only}. */
public final class StateDictWriter {
    private static final int CHUNK = 1 << 28;

    private StateDictWriter() {}

    /**
     * Writes all tensors in their own types and the map's order; the file appears complete or not at all.
     *
     * @param tensors by name; any layout, on any device
     */
    public static void write(Path path, Map<String, Tensor> tensors) {
        String file = path.getFileName().toString();
        String folder = file.contains(".") ? file.substring(0, file.lastIndexOf('.')) : file;
        AtomicFile.write(path, channel -> {
            StoredZipWriter zip = new StoredZipWriter(channel);
            zip.write(folder + "/data.pkl", ByteBuffer.wrap(pickle(tensors)));
            zip.write(folder + "/byteorder", ascii("little"));
            int key = 0;
            for (Tensor tensor : tensors.values()) {
                writeData(zip, folder + "/data/" + key++, tensor);
            }
            zip.write(folder + "/version", ascii("3\n"));
            zip.finish();
        });
    }

    private static ByteBuffer ascii(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static void writeData(StoredZipWriter zip, String name, Tensor tensor) throws IOException {
        try (PointerScope scope = new PointerScope()) {
            Tensor dense = tensor.detach().cpu().contiguous();
            long bytes = dense.numel() * Dtype.of(dense.scalar_type()).bytes();
            zip.begin(name, bytes);
            for (long from = 0; from < bytes; from += CHUNK) {
                long length = Math.min(CHUNK, bytes - from);
                zip.append(new BytePointer(dense.data_ptr())
                        .getPointer(from)
                        .capacity(length)
                        .asByteBuffer());
            }
            zip.end();
        }
    }

    private static byte[] pickle(Map<String, Tensor> tensors) {
        PickleOutput out = new PickleOutput();
        out.global("collections", "OrderedDict").op(')').op('R').op('(');
        int key = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            Tensor tensor = entry.getValue();
            long[] shape = tensor.shape();
            String storage = Globals.storageName(Dtype.of(tensor.scalar_type()));
            out.text(entry.getKey())
                    .global("torch._utils", "_rebuild_tensor_v2")
                    .op('(');
            out.op('(')
                    .text("storage")
                    .global("torch", storage)
                    .text(String.valueOf(key++))
                    .text("cpu");
            out.integer(tensor.numel()).op('t').op('Q').integer(0);
            out.longs(shape).longs(strides(shape)).op(0x89);
            out.global("collections", "OrderedDict").op(')').op('R').op('t').op('R');
        }
        return out.op('u').op('.').bytes();
    }

    private static long[] strides(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= Math.max(1, shape[i]);
        }
        return strides;
    }

    /** Opcodes of pickle protocol 2, without a memo. */
    private static final class PickleOutput {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        PickleOutput() {
            op(0x80).op(2);
        }

        PickleOutput op(int code) {
            out.write(code);
            return this;
        }

        PickleOutput global(String module, String name) {
            out.writeBytes(("c" + module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
            return this;
        }

        PickleOutput text(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            op('X').little(4).putInt(utf8.length);
            flush();
            out.writeBytes(utf8);
            return this;
        }

        PickleOutput integer(long value) {
            if (value >= 0 && value <= Integer.MAX_VALUE) {
                op('J').little(4).putInt((int) value);
            } else {
                op(0x8a).op(8).little(8).putLong(value);
            }
            flush();
            return this;
        }

        PickleOutput longs(long[] values) {
            op('(');
            for (long value : values) {
                integer(value);
            }
            return op('t');
        }

        private ByteBuffer pending;

        private ByteBuffer little(int bytes) {
            pending = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
            return pending;
        }

        private void flush() {
            out.writeBytes(pending.array());
        }

        byte[] bytes() {
            return out.toByteArray();
        }
    }
}
