package dev.diva.checkpoint.pickle;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.pickle.ZipDirectory.StoredRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The zip archive that torch writes since 1.6: one folder with data.pkl and data/0, data/1, ...; scripts have code and constants too. */
final class ZipContent {
    private ZipContent() {}

    static PickleContent read(Path path, FileChannel channel) throws IOException {
        Map<String, StoredRecord> records = ZipDirectory.read(path, channel);
        String pickle = records.keySet().stream()
                .filter(name -> name.equals("data.pkl") || name.endsWith("/data.pkl"))
                .min(java.util.Comparator.comparingInt(String::length))
                .orElseThrow(() -> new CheckpointException(path + ": a zip archive without data.pkl: not from torch"));
        String folder = pickle.substring(0, pickle.length() - "data.pkl".length());
        requireLittleEndian(path, channel, records.get(folder + "byteorder"));
        Map<String, StoredRecord> storages = new HashMap<>();
        String data = folder + "data/";
        records.forEach((name, at) -> {
            if (name.startsWith(data)) {
                storages.put(name.substring(data.length()), at);
            }
        });
        boolean script = records.containsKey(folder + "constants.pkl")
                || records.keySet().stream().anyMatch(name -> name.startsWith(folder + "code/"));
        ByteBuffer bytes = bytes(path, channel, records.get(pickle));
        return new PickleContent(script, Pickle.read(path.toString(), bytes), storages);
    }

    private static void requireLittleEndian(Path path, FileChannel channel, StoredRecord record) throws IOException {
        if (record != null && record.bytes() < 100) {
            String order = StandardCharsets.US_ASCII
                    .decode(bytes(path, channel, record))
                    .toString();
            if (!order.strip().equals("little")) {
                throw new CheckpointException(path + ": byte order is not little");
            }
        }
    }

    private static ByteBuffer bytes(Path path, FileChannel channel, StoredRecord record) throws IOException {
        if (record.bytes() > PickleContent.MAX_PICKLE) {
            throw new CheckpointException(path + ": its pickle has " + record.bytes() + " bytes: too many");
        }
        ByteBuffer buffer = ByteBuffer.allocate((int) record.bytes());
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, record.offset() + buffer.position()) < 0) {
                throw new CheckpointException(path + ": ends inside its pickle");
            }
        }
        return buffer.flip();
    }
}
