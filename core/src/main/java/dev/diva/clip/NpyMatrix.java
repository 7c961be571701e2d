package dev.diva.clip;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** A matrix in NumPy's format (version 1.0, little-endian fp32), and the names of its rows as a JSON list beside it. */
final class NpyMatrix {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    private static final int ALIGNMENT = 64;

    private NpyMatrix() {}

    /** Where the names of the rows stand: {@code emb.names.json} for {@code emb.npy}. */
    static Path names(Path target) {
        String file = target.getFileName().toString();
        return target.resolveSibling(file.substring(0, file.length() - ".npy".length()) + ".names.json");
    }

    /**
     * Refuses a target whose names cannot be written.
     *
     * @throws dev.diva.BadInputException when the file of the names exists
     */
    static void requireNew(Path target) {
        AtomicFile.requireNew(names(target), "--out");
    }

    /** Writes the names, then the matrix. */
    static void write(Path target, RowSpool rows, List<String> names) {
        AtomicFile.writeNew(
                names(target),
                (FileChannel channel) ->
                        writeAll(channel, ByteBuffer.wrap(new ObjectMapper().writeValueAsBytes(names))));
        AtomicFile.writeNew(target, channel -> {
            writeAll(channel, header(rows));
            for (long row = 0; row < rows.rows(); row++) {
                float[] values = rows.row(row);
                ByteBuffer bytes =
                        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                bytes.asFloatBuffer().put(values);
                writeAll(channel, bytes);
            }
        });
    }

    private static ByteBuffer header(RowSpool rows) {
        String shape = "(" + rows.rows() + ", " + rows.rowShape()[0] + ")";
        String words = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
        int length = MAGIC.length + Short.BYTES + words.length() + 1;
        int padding = (ALIGNMENT - length % ALIGNMENT) % ALIGNMENT;
        ByteBuffer header = ByteBuffer.allocate(length + padding).order(ByteOrder.LITTLE_ENDIAN);
        header.put(MAGIC).putShort((short) (words.length() + padding + 1));
        header.put((words + " ".repeat(padding) + "\n").getBytes(StandardCharsets.US_ASCII));
        return header.flip();
    }

    private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
