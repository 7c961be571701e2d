package dev.diva.language;

import dev.diva.BadInputException;
import dev.diva.Placeholder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The vocabulary of a sentencepiece {@code tokenizer.model}, read from its protocol buffer.
 *
 * @param file bytes as they lie on disk
 * @param pieces text of each id
 */
record SentencePieceModel(byte[] file, List<String> pieces) {
    private static final long MAX_BYTES = 64L << 20;
    /** A normalizer_spec whose add_dummy_prefix is false; behind a model it overrides that field alone. */
    private static final byte[] NO_DUMMY_PREFIX = {0x1a, 2, 0x18, 0};

    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    static SentencePieceModel read(Path path) {
        try {
            if (Files.size(path) > MAX_BYTES) {
                throw new BadInputException(path + ": has " + Files.size(path) + " bytes: too many for a tokenizer");
            }
            Placeholder.refuse(path);
            byte[] file = Files.readAllBytes(path);
            List<String> pieces = new ArrayList<>();
            ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
            while (in.hasRemaining()) {
                long tag = varint(in);
                if (tag == (1 << 3 | BYTES)) {
                    pieces.add(piece(bytes(in)));
                } else {
                    skip(in, (int) tag & 7);
                }
            }
            if (pieces.isEmpty()) {
                throw new BadInputException(path + ": no sentencepiece model: has no pieces");
            }
            return new SentencePieceModel(file, List.copyOf(pieces));
        } catch (IOException e) {
            throw new BadInputException(path + ": cannot be read: " + e.getMessage(), e);
        } catch (IllegalArgumentException | java.nio.BufferUnderflowException e) {
            throw new BadInputException(path + ": no sentencepiece model: cut short or damaged", e);
        }
    }

    /** The model without the blank that it puts in front of a text. */
    byte[] withoutDummyPrefix() {
        return ByteBuffer.allocate(file.length + NO_DUMMY_PREFIX.length)
                .put(file)
                .put(NO_DUMMY_PREFIX)
                .array();
    }

    private static String piece(ByteBuffer in) {
        String text = "";
        while (in.hasRemaining()) {
            long tag = varint(in);
            if (tag == (1 << 3 | BYTES)) {
                text = StandardCharsets.UTF_8.decode(bytes(in)).toString();
            } else {
                skip(in, (int) tag & 7);
            }
        }
        return text;
    }

    private static long varint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            byte next = in.get();
            value |= (next & 0x7fL) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new IllegalArgumentException("a number of more than 64 bits");
    }

    private static ByteBuffer bytes(ByteBuffer in) {
        long length = varint(in);
        if (length < 0 || length > in.remaining()) {
            throw new IllegalArgumentException("a field of " + length + " bytes");
        }
        ByteBuffer field = in.slice(in.position(), (int) length).order(ByteOrder.LITTLE_ENDIAN);
        in.position(in.position() + (int) length);
        return field;
    }

    private static void skip(ByteBuffer in, int wireType) {
        switch (wireType) {
            case VARINT -> varint(in);
            case FIXED64 -> in.getLong();
            case BYTES -> bytes(in);
            case FIXED32 -> in.getInt();
            default -> throw new IllegalArgumentException("wire type " + wireType);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SentencePieceModel model && pieces.equals(model.pieces);
    }

    @Override
    public int hashCode() {
        return pieces.hashCode();
    }
}
