package dev.diva.language;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Joins sentencepiece's pieces to text: blanks from U+2581, characters from byte pieces, U+FFFD for every byte that is part of none. */
final class PieceText {
    private static final Pattern BYTE = Pattern.compile("<0x([0-9A-F]{2})>");

    private final StringBuilder text = new StringBuilder();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    void add(String piece) {
        Matcher matcher = BYTE.matcher(piece);
        if (matcher.matches()) {
            bytes.write(Integer.parseInt(matcher.group(1), 16));
        } else {
            endBytes();
            text.append(piece.replace('\u2581', ' '));
        }
    }

    private void endBytes() {
        byte[] all = bytes.toByteArray();
        bytes.reset();
        int from = 0;
        while (from < all.length) {
            int length = 4;
            while (length > 0 && !appendCharacter(all, from, length)) {
                length--;
            }
            if (length == 0) {
                text.append('\ufffd');
            }
            from += Math.max(1, length);
        }
    }

    /** Whether exactly these bytes are one character. */
    private boolean appendCharacter(byte[] all, int from, int length) {
        if (from + length > all.length) {
            return false;
        }
        try {
            String decoded = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(all, from, length))
                    .toString();
            if (decoded.codePointCount(0, decoded.length()) != 1) {
                return false;
            }
            text.append(decoded);
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    @Override
    public String toString() {
        endBytes();
        return text.toString();
    }
}
