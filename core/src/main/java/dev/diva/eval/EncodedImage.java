package dev.diva.eval;

/**
 * An image as it lies on disk.
 *
 * @param name names it in errors
 * @param bytes a whole JPEG, PNG or WebP file
 */
@SuppressWarnings("ArrayRecordComponent")
public record EncodedImage(String name, byte[] bytes) {}
