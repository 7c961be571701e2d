package dev.diva.checkpoint.pickle;

import dev.diva.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where the stored (uncompressed) records of a zip archive lie, as {@code torch.save} writes them. Every position and length is compared with
 * the size of the file; compressed and encrypted records are refused.
 */
final class ZipDirectory {
    private static final int END = 0x06054b50;
    private static final int END64 = 0x06064b50;
    private static final int END64_LOCATOR = 0x07064b50;
    private static final int CENTRAL = 0x02014b50;
    private static final int LOCAL = 0x04034b50;
    private static final long MAX_DIRECTORY = 1 << 26;
    private static final long UNSIGNED = 0xffffffffL;

    private final Path path;
    private final FileChannel channel;
    private final long fileSize;
    private final Map<String, StoredRecord> records = new LinkedHashMap<>();

    /** First byte and number of bytes. */
    record StoredRecord(long offset, long bytes) {}

    private ZipDirectory(Path path, FileChannel channel) throws IOException {
        this.path = path;
        this.channel = channel;
        this.fileSize = channel.size();
    }

    static Map<String, StoredRecord> read(Path path, FileChannel channel) throws IOException {
        ZipDirectory directory = new ZipDirectory(path, channel);
        directory.readAll();
        return directory.records;
    }

    private CheckpointException bad(String what) {
        return new CheckpointException(path + ": zip archive is truncated or corrupt: " + what);
    }

    private ByteBuffer bytes(long offset, long length) throws IOException {
        if (offset < 0 || length < 0 || length > fileSize - offset) {
            throw bad("a part of " + length + " bytes at " + offset + " in a file of " + fileSize);
        }
        ByteBuffer buffer = ByteBuffer.allocate((int) length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, offset + buffer.position()) < 0) {
                throw bad("ends early");
            }
        }
        return buffer.flip();
    }

    private void readAll() throws IOException {
        long end = findEnd();
        ByteBuffer trailer = bytes(end, 22);
        long entries = trailer.getShort(10) & 0xffff;
        long size = trailer.getInt(12) & UNSIGNED;
        long start = trailer.getInt(16) & UNSIGNED;
        if (end >= 20 && bytes(end - 20, 20).getInt(0) == END64_LOCATOR) {
            ByteBuffer trailer64 = bytes(bytes(end - 20, 20).getLong(8), 56);
            if (trailer64.getInt(0) != END64) {
                throw bad("no zip64 directory");
            }
            entries = trailer64.getLong(32);
            size = trailer64.getLong(40);
            start = trailer64.getLong(48);
        }
        if (size < 0 || size > MAX_DIRECTORY || entries < 0 || entries > size / 46) {
            throw bad(entries + " records in a directory of " + size + " bytes");
        }
        ByteBuffer central = bytes(start, size);
        for (long i = 0; i < entries; i++) {
            readEntry(central);
        }
    }

    /** The trailer is the last thing but for a comment of at most 64 KiB. */
    private long findEnd() throws IOException {
        long length = Math.min(fileSize, 22 + 0xffff);
        ByteBuffer tail = bytes(fileSize - length, length);
        for (int at = (int) length - 22; at >= 0; at--) {
            if (tail.getInt(at) == END && (tail.getShort(at + 20) & 0xffff) == length - at - 22) {
                return fileSize - length + at;
            }
        }
        throw bad("its directory is missing");
    }

    private void readEntry(ByteBuffer central) throws IOException {
        if (central.remaining() < 46 || central.getInt(central.position()) != CENTRAL) {
            throw bad("a directory entry is missing");
        }
        int at = central.position();
        int flags = central.getShort(at + 8);
        int method = central.getShort(at + 10);
        long compressed = central.getInt(at + 20) & UNSIGNED;
        long size = central.getInt(at + 24) & UNSIGNED;
        int nameLength = central.getShort(at + 28) & 0xffff;
        int extraLength = central.getShort(at + 30) & 0xffff;
        int commentLength = central.getShort(at + 32) & 0xffff;
        long header = central.getInt(at + 42) & UNSIGNED;
        if (central.remaining() - 46 < nameLength + extraLength + commentLength) {
            throw bad("a directory entry runs over its end");
        }
        byte[] nameBytes = new byte[nameLength];
        central.get(at + 46, nameBytes);
        String name = new String(nameBytes, StandardCharsets.UTF_8);
        ByteBuffer extra = central.slice(at + 46 + nameLength, extraLength).order(ByteOrder.LITTLE_ENDIAN);
        central.position(at + 46 + nameLength + extraLength + commentLength);
        long[] wide = zip64(extra, size, compressed, header);
        add(name, flags, method, wide);
    }

    /** Sizes and offsets that do not fit 32 bits stand in the extra field, in this order, only those that overflow. */
    private long[] zip64(ByteBuffer extra, long... values) {
        while (extra.remaining() >= 4) {
            int id = extra.getShort();
            int length = extra.getShort() & 0xffff;
            if (length > extra.remaining()) {
                throw bad("an extra field runs over its end");
            }
            if (id == 1) {
                ByteBuffer field = extra.slice(extra.position(), length).order(ByteOrder.LITTLE_ENDIAN);
                for (int i = 0; i < values.length; i++) {
                    if (values[i] == UNSIGNED && field.remaining() >= 8) {
                        values[i] = field.getLong();
                    }
                }
            }
            extra.position(extra.position() + length);
        }
        return values;
    }

    private void add(String name, int flags, int method, long[] wide) throws IOException {
        long size = wide[0];
        if ((flags & 1) != 0 || method != 0 || size != wide[1]) {
            throw new CheckpointException(
                    path + ": record " + name + " is compressed or encrypted; torch.save stores records as they are");
        }
        ByteBuffer local = bytes(wide[2], 30);
        if (local.getInt(0) != LOCAL) {
            throw bad("record " + name + " has no header");
        }
        long offset = wide[2] + 30 + (local.getShort(26) & 0xffff) + (local.getShort(28) & 0xffff);
        if (size < 0 || size > fileSize - offset) {
            throw bad("record " + name + " ends after the file");
        }
        if (records.put(name, new StoredRecord(offset, size)) != null) {
            throw bad("two records are named " + name);
        }
    }
}
