package dev.diva.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Writes safetensors files byte for byte as the reference library does: larger element types first, then by name, header padded with
 * spaces to a multiple of 8.
 */
public final class SafetensorsWriter {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CHUNK = 1 << 28;

    private SafetensorsWriter() {}

    /**
     * Writes all tensors in their own types; the file appears complete or not at all.
     *
     * @param tensors by name; any layout, contiguous or not, on any device
     * @param metadata the header's {@code __metadata__}, left out when empty
     */
    public static void write(Path path, Map<String, Tensor> tensors, Map<String, String> metadata) {
        write(path, infos(tensors), info -> tensors.get(info.name()), metadata);
    }

    /**
     * The same where there must be no file yet.
     *
     * @throws dev.diva.BadInputException when there is one by now; it is untouched
     */
    public static void writeNew(Path path, Map<String, Tensor> tensors, Map<String, String> metadata) {
        AtomicFile.writeNew(path, body(infos(tensors), info -> tensors.get(info.name()), metadata));
    }

    private static List<TensorInfo> infos(Map<String, Tensor> tensors) {
        List<TensorInfo> infos = new ArrayList<>();
        tensors.forEach(
                (name, tensor) -> infos.add(new TensorInfo(name, Dtype.of(tensor.scalar_type()), tensor.shape())));
        return infos;
    }

    /**
     * Writes tensors that are made one at a time, so that a file may be larger than memory.
     *
     * @param infos what the file holds, in any order
     * @param make gives each tensor with the type and shape of its info, in the order of the file; freed once it is written
     * @param metadata the header's {@code __metadata__}, left out when empty
     */
    public static void write(
            Path path, Collection<TensorInfo> infos, Function<TensorInfo, Tensor> make, Map<String, String> metadata) {
        AtomicFile.write(path, body(infos, make, metadata));
    }

    private static AtomicFile.Body body(
            Collection<TensorInfo> infos, Function<TensorInfo, Tensor> make, Map<String, String> metadata) {
        List<TensorInfo> entries = new ArrayList<>(infos);
        entries.sort(Comparator.comparing(TensorInfo::dtype, ORDER).thenComparing(TensorInfo::name));
        byte[] header = header(entries, metadata);
        return channel -> {
            ByteBuffer start = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN);
            start.putLong(header.length).put(header).flip();
            writeFully(channel, start);
            for (TensorInfo info : entries) {
                try (PointerScope scope = new PointerScope()) {
                    writeTensor(channel, info, make.apply(info));
                }
            }
        };
    }

    /** The reference library sorts by its own enumeration of types, descending; wider types come first in it. */
    private static final Comparator<Dtype> ORDER = Comparator.comparingInt(dtype -> List.of(
                    Dtype.I64,
                    Dtype.F64,
                    Dtype.F32,
                    Dtype.I32,
                    Dtype.BF16,
                    Dtype.F16,
                    Dtype.I16,
                    Dtype.I8,
                    Dtype.U8,
                    Dtype.BOOL)
            .indexOf(dtype));

    private static byte[] header(List<TensorInfo> entries, Map<String, String> metadata) {
        ObjectNode root = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode node = root.putObject("__metadata__");
            metadata.forEach(node::put);
        }
        long offset = 0;
        for (TensorInfo info : entries) {
            ObjectNode node = root.putObject(info.name());
            node.put("dtype", info.dtype().name());
            var shape = node.putArray("shape");
            for (long size : info.shape()) {
                shape.add(size);
            }
            long end = offset + info.bytes();
            node.putArray("data_offsets").add(offset).add(end);
            offset = end;
        }
        try {
            String text = JSON.writeValueAsString(root);
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            return (text + " ".repeat((8 - bytes.length % 8) % 8)).getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of names and numbers is always JSON", e);
        }
    }

    static void writeTensor(FileChannel channel, TensorInfo info, Tensor tensor) throws IOException {
        Tensor dense = tensor.detach().cpu().contiguous();
        TensorInfo made = new TensorInfo(info.name(), Dtype.of(dense.scalar_type()), dense.shape());
        if (!made.equals(info)) {
            throw new IllegalArgumentException("tensor " + made + ", announced as " + info);
        }
        BytePointer data = new BytePointer(dense.data_ptr());
        for (long from = 0; from < info.bytes(); from += CHUNK) {
            long length = Math.min(CHUNK, info.bytes() - from);
            writeFully(channel, data.getPointer(from).capacity(length).asByteBuffer());
        }
    }

    static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }
}
