package dev.diva.checkpoint;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * A safetensors file, memory-mapped: 8 bytes of header length, a JSON header, data. The header is checked whole (length, types, sizes,
 * overlaps, end of file) before any data is mapped, and tensors are views of the mapping, shared between processes.
 */
public final class SafetensorsFile implements TensorSource {
    private final Path path;
    private final SafetensorsHeader header;
    private final MappedFile data;

    private SafetensorsFile(Path path, SafetensorsHeader header) {
        this.path = path;
        this.header = header;
        this.data = new MappedFile(path);
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
        return data.dense(known(name), header.offset(name));
    }

    @Override
    public Tensor readOnce(String name) {
        return data.once(known(name), header.offset(name));
    }

    private TensorInfo known(String name) {
        TensorInfo info = info(name);
        if (info == null) {
            throw new CheckpointException(path + ": has no tensor " + name);
        }
        return info;
    }

    @Override
    public void close() {
        data.close();
    }
}
