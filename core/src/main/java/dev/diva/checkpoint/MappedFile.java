package dev.diva.checkpoint;

import dev.diva.engine.Scopes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A file whose regions are mapped for reading when they are asked for, each once. Tensors over them cost no memory of their own and
 * share the pages with other processes. The caller has checked that the regions lie inside the file.
 */
public final class MappedFile implements AutoCloseable {
    private final Path path;
    private final Map<Region, BytePointer> mapped = new HashMap<>();

    public MappedFile(Path path) {
        this.path = path;
    }

    private record Region(long offset, long bytes) {}

    /**
     * A row of elements as they lie in the file, without a copy unless they are not aligned to their own size.
     *
     * @param what named in messages
     * @param offset first byte in the file
     * @return [count], owned by the caller's scope, valid until {@link #close}
     */
    public Tensor elements(String what, Dtype dtype, long offset, long count) {
        if (count == 0) {
            return torch.empty(new long[] {0}, new TensorOptions(dtype.scalarType()), null);
        }
        Region region = new Region(offset, Math.multiplyExact(count, (long) dtype.bytes()));
        // The format may allow any offset, the processor wants aligned numbers.
        return offset % dtype.bytes() == 0
                ? torch.from_blob(map(what, region), new long[] {count}, new TensorOptions(dtype.scalarType()))
                : copy(what, dtype, region, count);
    }

    /** The same elements as a dense tensor of that shape. */
    public Tensor dense(TensorInfo info, long offset) {
        return Scopes.returning(() ->
                elements(info.toString(), info.dtype(), offset, info.numel()).reshape(info.shape()));
    }

    /**
     * The same elements as a dense tensor of that shape for a single look: over a mapping of its own, which goes with it, so that what was
     * looked at does not stay in the memory of the process.
     */
    public Tensor once(TensorInfo info, long offset) {
        return Scopes.returning(() -> {
            Region region = new Region(offset, info.bytes());
            Tensor row = region.bytes == 0
                    ? elements(info.toString(), info.dtype(), offset, 0)
                    : mappedAlone(info.dtype(), region)
                            .orElseGet(() -> copy(info.toString(), info.dtype(), region, info.numel()));
            return row.reshape(info.shape());
        });
    }

    /** Empty for numbers that are not aligned, and where the system refuses, as it may for what is larger than its memory. */
    private Optional<Tensor> mappedAlone(Dtype dtype, Region region) {
        if (region.offset % dtype.bytes() != 0) {
            return Optional.empty();
        }
        try {
            // Twice as fast as reading. libtorch maps from the beginning of the file, privately, and unmaps with the
            // tensor.
            Tensor bytes = torch.from_file(
                    path.toString(),
                    new BoolOptional(false),
                    new LongOptional(region.offset + region.bytes),
                    new TensorOptions(ScalarType.Byte));
            return Optional.of(bytes.narrow(0, region.offset, region.bytes).view(dtype.scalarType()));
        } catch (RuntimeException e) {
            return Optional.empty();
        }
    }

    private synchronized BytePointer map(String what, Region region) {
        return mapped.computeIfAbsent(region, r -> {
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
                // One mapping a tensor: a buffer of Java 17 holds 2 GiB at most.
                BytePointer pointer =
                        new BytePointer(channel.map(FileChannel.MapMode.READ_ONLY, r.offset(), r.bytes()));
                pointer.retainReference();
                return pointer;
            } catch (IOException | IllegalArgumentException e) {
                throw new CheckpointException(path + ": " + what + " cannot be mapped: " + e.getMessage(), e);
            }
        });
    }

    private Tensor copy(String what, Dtype dtype, Region region, long count) {
        Tensor tensor = torch.empty(new long[] {count}, new TensorOptions(dtype.scalarType()), null);
        ByteBuffer bytes = new BytePointer(tensor.data_ptr())
                .capacity(region.bytes())
                .asByteBuffer()
                .order(ByteOrder.nativeOrder());
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long position = region.offset();
            while (bytes.hasRemaining()) {
                int read = channel.read(bytes, position);
                if (read < 0) {
                    throw new CheckpointException(path + ": ends inside " + what);
                }
                position += read;
            }
            return tensor;
        } catch (IOException e) {
            throw new CheckpointException(path + ": " + what + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** Forgets the mappings; tensors handed out before must not be used again. */
    @Override
    public synchronized void close() {
        mapped.clear();
    }
}
