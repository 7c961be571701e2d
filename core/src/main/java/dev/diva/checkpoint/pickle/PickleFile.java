package dev.diva.checkpoint.pickle;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.MappedFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.pickle.Values.StorageRef;
import dev.diva.checkpoint.pickle.Values.TensorRef;
import dev.diva.checkpoint.pickle.ZipDirectory.StoredRecord;
import dev.diva.engine.Scopes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * A file of {@code torch.save} (zip archive or the older plain pickle) or {@code torch.jit.save}, memory-mapped. All tensors in it are listed,
 * named by their path through dictionaries and modules. Nothing in the file is executed.
 */
public final class PickleFile implements TensorSource {
    private final Path path;
    private final boolean script;
    private final Map<String, TensorRef> tensors;
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();
    private final Map<String, StoredRecord> storages;
    private final MappedFile data;

    private PickleFile(Path path, PickleContent content) {
        this.path = path;
        this.script = content.script();
        this.tensors = TensorTree.flatten(path.toString(), content.root());
        this.storages = content.storages();
        this.data = new MappedFile(path);
        tensors.forEach((name, tensor) -> infos.put(name, checked(name, tensor)));
    }

    /**
     * Opens a file and checks everything but the values of its tensors.
     *
     * @throws CheckpointException when it is damaged, or names a global that is not on the list of harmless ones
     */
    public static PickleFile open(Path path) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return new PickleFile(
                    path, isZip(channel) ? ZipContent.read(path, channel) : LegacyContent.read(path, channel));
        } catch (IOException e) {
            throw new CheckpointException(path + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static boolean isZip(FileChannel channel) throws IOException {
        ByteBuffer magic = ByteBuffer.allocate(4);
        channel.read(magic, 0);
        return magic.getInt(0) == 0x504b0304;
    }

    /** Whether it is a TorchScript archive. */
    public boolean isScript() {
        return script;
    }

    @Override
    public String location() {
        return path.toString();
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return Collections.unmodifiableCollection(infos.values());
    }

    @Override
    public TensorInfo info(String name) {
        return infos.get(name);
    }

    @Override
    public Tensor read(String name) {
        TensorInfo info = info(name);
        if (info == null) {
            throw new CheckpointException(path + ": has no tensor " + name);
        }
        TensorRef tensor = tensors.get(name);
        StorageRef storage = tensor.storage();
        long[] strides = tensor.strides().stream().mapToLong(Long::longValue).toArray();
        return Scopes.returning(() -> {
            Tensor first = data.elements(
                    info.toString(), info.dtype(), storages.get(storage.key()).offset(), storage.numel());
            Tensor from =
                    first.narrow(0, Math.min(tensor.offset(), storage.numel()), storage.numel() - tensor.offset());
            return info.numel() == 0 ? from.narrow(0, 0, 0).reshape(info.shape()) : view(from, info.shape(), strides);
        });
    }

    private static Tensor view(Tensor from, long[] shape, long[] strides) {
        return from.as_strided(shape, strides, new org.bytedeco.pytorch.LongOptional(from.storage_offset()));
    }

    /** A tensor lies inside its storage, and its storage inside the file. */
    private TensorInfo checked(String name, TensorRef tensor) {
        StorageRef storage = tensor.storage();
        StoredRecord stored = storages.get(storage.key());
        try {
            if (stored == null
                    || Math.multiplyExact(
                                    storage.numel(), (long) storage.dtype().bytes())
                            > stored.bytes()) {
                throw new CheckpointException(path + ": " + name + ": storage " + storage.key() + " of "
                        + storage.numel() + " elements is "
                        + (stored == null ? "not in the file" : "cut to " + stored.bytes() + " bytes"));
            }
            long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
            TensorInfo info = new TensorInfo(name, storage.dtype(), shape);
            if (shape.length != tensor.strides().size() || tensor.offset() < 0 || reach(tensor) > storage.numel()) {
                throw new CheckpointException(path + ": " + info + " lies outside its storage of " + storage.numel());
            }
            if (info.numel() > storage.numel()) {
                throw new CheckpointException(
                        path + ": " + info + " has more elements than its storage: " + storage.numel());
            }
            return info;
        } catch (ArithmeticException | IllegalArgumentException e) {
            throw new CheckpointException(path + ": size of " + name + " is impossible: " + e.getMessage(), e);
        }
    }

    /** One behind the last element that a tensor touches. */
    private static long reach(TensorRef tensor) {
        long last = tensor.offset();
        for (int i = 0; i < tensor.shape().size(); i++) {
            long size = tensor.shape().get(i);
            long stride = tensor.strides().get(i);
            if (size < 0 || stride < 0) {
                throw new IllegalArgumentException("negative");
            }
            if (size == 0) {
                return tensor.offset();
            }
            last = Math.addExact(last, Math.multiplyExact(size - 1, stride));
        }
        return Math.addExact(last, 1);
    }

    @Override
    public void close() {
        data.close();
    }
}
