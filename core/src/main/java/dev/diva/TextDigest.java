package dev.diva;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A few digits that tell texts apart where they are too long, or of characters that a name cannot have. */
public final class TextDigest {
    private static final int BYTES = 5;

    private TextDigest() {}

    /** The first ten hexadecimal digits of the SHA-256 of its UTF-8. */
    public static String of(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
