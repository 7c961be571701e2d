package dev.diva.checkpoint.pickle;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/** A zip archive of uncompressed records, each beginning at a multiple of 64 so that it can be mapped; zip64 where offsets need it. */
final class StoredZipWriter {
    private static final int ALIGNMENT = 64;
    private static final int LOCAL_BYTES = 30;
    private static final long LARGE = 0xffffffffL;
    private static final int DATE = 0x21; // 1 January 1980: the same content gives the same bytes

    private final FileChannel channel;
    private final ByteArrayOutputStream directory = new ByteArrayOutputStream();
    private final CRC32 crc = new CRC32();
    private long entries;
    private long start;
    private byte[] name;
    private long size;

    StoredZipWriter(FileChannel channel) {
        this.channel = channel;
    }

    void write(String record, ByteBuffer content) throws IOException {
        begin(record, content.remaining());
        append(content);
        end();
    }

    void begin(String record, long bytes) throws IOException {
        if (bytes >= LARGE) {
            throw new IOException(record + " has " + bytes + " bytes, a record holds 4 GiB at most");
        }
        name = record.getBytes(StandardCharsets.UTF_8);
        size = bytes;
        start = channel.position();
        crc.reset();
        ByteBuffer header = local(0);
        put(header);
    }

    void append(ByteBuffer content) throws IOException {
        crc.update(content.duplicate());
        put(content);
    }

    /** The checksum is known only now: the header is written again with it. */
    void end() throws IOException {
        ByteBuffer header = local((int) crc.getValue());
        long at = start;
        while (header.hasRemaining()) {
            at += channel.write(header, at);
        }
        addToDirectory();
        entries++;
    }

    private ByteBuffer local(int checksum) {
        int padding = (int) ((ALIGNMENT - (start + LOCAL_BYTES + name.length + 4) % ALIGNMENT) % ALIGNMENT);
        ByteBuffer header = little(LOCAL_BYTES + name.length + 4 + padding);
        header.putInt(0x04034b50).putShort((short) 20).putShort((short) 0x800).putShort((short) 0);
        header.putShort((short) 0).putShort((short) DATE);
        header.putInt(checksum).putInt((int) size).putInt((int) size);
        header.putShort((short) name.length).putShort((short) (4 + padding)).put(name);
        header.put((byte) 'F').put((byte) 'B').putShort((short) padding);
        while (header.hasRemaining()) {
            header.put((byte) 'Z');
        }
        return header.flip();
    }

    private void addToDirectory() {
        boolean wide = start >= LARGE;
        byte[] bytes = new byte[46 + name.length + (wide ? 12 : 0)];
        ByteBuffer entry = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        entry.putInt(0x02014b50).putShort((short) 45).putShort((short) 20).putShort((short) 0x800);
        entry.putShort((short) 0).putShort((short) 0).putShort((short) DATE);
        entry.putInt((int) crc.getValue()).putInt((int) size).putInt((int) size);
        entry.putShort((short) name.length).putShort((short) (wide ? 12 : 0)).putShort((short) 0);
        entry.putShort((short) 0).putShort((short) 0).putInt(0);
        entry.putInt((int) (wide ? LARGE : start)).put(name);
        if (wide) {
            entry.putShort((short) 1).putShort((short) 8).putLong(start);
        }
        directory.writeBytes(bytes);
    }

    void finish() throws IOException {
        long at = channel.position();
        put(ByteBuffer.wrap(directory.toByteArray()));
        long end = channel.position();
        ByteBuffer end64 = little(76);
        end64.putInt(0x06064b50)
                .putLong(44)
                .putShort((short) 45)
                .putShort((short) 45)
                .putInt(0)
                .putInt(0);
        end64.putLong(entries).putLong(entries).putLong(end - at).putLong(at);
        end64.putInt(0x07064b50).putInt(0).putLong(end).putInt(1);
        put(end64.flip());
        ByteBuffer trailer = little(22);
        trailer.putInt(0x06054b50).putInt(0);
        short count = (short) Math.min(entries, 0xffff);
        trailer.putShort(count).putShort(count).putInt((int) (end - at)).putInt((int) Math.min(at, LARGE));
        put(trailer.putShort((short) 0).flip());
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void put(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
