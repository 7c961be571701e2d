package dev.diva.checkpoint.pickle;

import dev.diva.checkpoint.CheckpointException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Bytes of a pickle; no read goes past the end, and no length is believed before it is compared with what is left. */
final class PickleInput {
    private final String where;
    private final ByteBuffer bytes;

    PickleInput(String where, ByteBuffer bytes) {
        this.where = where;
        this.bytes = bytes.order(ByteOrder.LITTLE_ENDIAN);
    }

    CheckpointException bad(String what) {
        return new CheckpointException(where + ": " + what + " (byte " + bytes.position() + " of the pickle)");
    }

    int position() {
        return bytes.position();
    }

    int u8() {
        return need(1).get() & 0xff;
    }

    int u16() {
        return need(2).getShort() & 0xffff;
    }

    int i32() {
        return need(4).getInt();
    }

    long i64() {
        return need(8).getLong();
    }

    double bigEndianDouble() {
        return Double.longBitsToDouble(Long.reverseBytes(i64()));
    }

    byte[] take(long length) {
        if (length < 0 || length > bytes.remaining()) {
            throw bad("needs " + length + " more bytes, " + bytes.remaining() + " are left: truncated or corrupt");
        }
        byte[] taken = new byte[(int) length];
        bytes.get(taken);
        return taken;
    }

    String text(long length) {
        return new String(take(length), StandardCharsets.UTF_8);
    }

    String line() {
        int start = bytes.position();
        while (u8() != '\n') {
            if (bytes.position() - start > 100_000) {
                throw bad("a line without end");
            }
        }
        int length = bytes.position() - 1 - start;
        byte[] taken = new byte[length];
        bytes.get(start, taken);
        return new String(taken, StandardCharsets.UTF_8);
    }

    private ByteBuffer need(int length) {
        if (bytes.remaining() < length) {
            throw bad("ends in the middle: truncated or corrupt");
        }
        return bytes;
    }
}
