package dev.diva.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * A safetensors file, memory-mapped: 8 bytes of header length, a JSON header, data. The header is checked whole (length, types, sizes,
 * overlaps, end of file) before any data is mapped, and tensors are views of the mapping, shared between processes.
 */
public final class SafetensorsFile implements TensorSource {
    private final Path path;
    private final SafetensorsHeader header;
    private final Map<String, BytePointer> mapped = new LinkedHashMap<>();

    private SafetensorsFile(Path path, SafetensorsHeader header) {
        this.path = path;
        this.header = header;
    }

    /**
     * Opens and checks a file.
     *
     * @throws CheckpointException when it is not a sound safetensors file
     */
    public static SafetensorsFile open(Path path) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return new SafetensorsFile(path, SafetensorsHeader.read(path, channel));
        } catch (IOException e) {
            throw new CheckpointException(path + ": cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public String location() {
        return path.toString();
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return Collections.unmodifiableCollection(header.tensors().values());
    }

    @Override
    public TensorInfo info(String name) {
        return header.tensors().get(name);
    }

    @Override
    public Map<String, String> metadata() {
        return header.metadata();
    }

    @Override
    public Tensor read(String name) {
        TensorInfo info = info(name);
        if (info == null) {
            throw new CheckpointException(path + ": has no tensor " + name);
        }
        TensorOptions options = new TensorOptions(info.dtype().scalarType());
        if (info.numel() == 0) {
            return torch.empty(info.shape(), options, null);
        }
        if (info.dtype().bytes() > 1 && header.offset(name) % info.dtype().bytes() != 0) {
            return unaligned(info, options);
        }
        return torch.from_blob(map(info), info.shape(), options);
    }

    private synchronized BytePointer map(TensorInfo info) {
        return mapped.computeIfAbsent(info.name(), name -> {
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
                // One mapping a tensor: a buffer of Java 17 holds 2 GiB at most.
                BytePointer pointer =
                        new BytePointer(channel.map(FileChannel.MapMode.READ_ONLY, header.offset(name), info.bytes()));
                pointer.retainReference();
                return pointer;
            } catch (IOException | IllegalArgumentException e) {
                throw new CheckpointException(path + ": " + info + " cannot be mapped: " + e.getMessage(), e);
            }
        });
    }

    /** The format allows any offset, the processor wants aligned numbers: such tensors are copied. */
    private Tensor unaligned(TensorInfo info, TensorOptions options) {
        Tensor tensor = torch.empty(info.shape(), options, null);
        ByteBuffer bytes = new BytePointer(tensor.data_ptr())
                .capacity(info.bytes())
                .asByteBuffer()
                .order(ByteOrder.nativeOrder());
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long position = header.offset(info.name());
            while (bytes.hasRemaining()) {
                int read = channel.read(bytes, position);
                if (read < 0) {
                    throw new CheckpointException(path + ": ends inside " + info);
                }
                position += read;
            }
            return tensor;
        } catch (IOException e) {
            throw new CheckpointException(path + ": " + info + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** Forgets the mappings; tensors handed out before must not be used again. */
    @Override
    public synchronized void close() {
        mapped.clear();
    }
}
