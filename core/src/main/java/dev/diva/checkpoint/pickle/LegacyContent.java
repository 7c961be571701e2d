package dev.diva.checkpoint.pickle;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.pickle.Values.TensorRef;
import dev.diva.checkpoint.pickle.ZipDirectory.StoredRecord;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The format before 1.6: pickles of a magic number, a version, the machine, the object and the keys of its storages, then each storage as its
 * number of elements and the elements.
 */
final class LegacyContent {
    private static final BigInteger MAGIC = new BigInteger("119547037146038801333356");
    private static final long VERSION = 1001;

    private LegacyContent() {}

    static PickleContent read(Path path, FileChannel channel) throws IOException {
        ByteBuffer bytes =
                channel.map(FileChannel.MapMode.READ_ONLY, 0, Math.min(channel.size(), PickleContent.MAX_PICKLE));
        String where = path.toString();
        if (!bytes.hasRemaining() || (bytes.get(0) & 0xff) != 0x80 || !MAGIC.equals(Pickle.read(where, bytes))) {
            throw new CheckpointException(path + ": neither safetensors nor a file of torch.save");
        }
        if (!Long.valueOf(VERSION).equals(Pickle.read(where, bytes))) {
            throw new CheckpointException(path + ": unknown version of the old torch.save format");
        }
        if (!(Pickle.read(where, bytes) instanceof Map<?, ?> machine)
                || !Boolean.TRUE.equals(machine.get("little_endian"))) {
            throw new CheckpointException(path + ": byte order is not little");
        }
        Object root = Pickle.read(where, bytes);
        if (!(Pickle.read(where, bytes) instanceof List<?> keys)) {
            throw new CheckpointException(path + ": the list of storages is missing");
        }
        return new PickleContent(false, root, storages(path, channel, bytes.position(), keys, types(where, root)));
    }

    /** The list of storages says neither type nor size; the tensors do. */
    private static Map<String, Dtype> types(String where, Object root) {
        Map<String, Dtype> types = new HashMap<>();
        for (TensorRef tensor : TensorTree.flatten(where, root).values()) {
            types.put(tensor.storage().key(), tensor.storage().dtype());
        }
        return types;
    }

    private static Map<String, StoredRecord> storages(
            Path path, FileChannel channel, long start, List<?> keys, Map<String, Dtype> types) throws IOException {
        Map<String, StoredRecord> storages = new HashMap<>();
        long at = start;
        for (Object key : keys) {
            Dtype dtype = key instanceof String ? types.get(key) : null;
            if (dtype == null) {
                throw new CheckpointException(path + ": storage without a tensor: cannot tell its type");
            }
            ByteBuffer count = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            while (count.hasRemaining()) {
                if (channel.read(count, at + count.position()) < 0) {
                    throw new CheckpointException(path + ": ends before storage " + key);
                }
            }
            long numel = count.getLong(0);
            at += 8;
            if (numel < 0 || numel > (channel.size() - at) / dtype.bytes()) {
                throw new CheckpointException(
                        path + ": storage " + key + " of " + numel + " elements ends after the file");
            }
            if (storages.put((String) key, new StoredRecord(at, numel * dtype.bytes())) != null) {
                throw new CheckpointException(path + ": storage " + key + " is listed twice");
            }
            at += numel * dtype.bytes();
        }
        return storages;
    }
}
