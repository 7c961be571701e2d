package dev.diva.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import javax.imageio.ImageIO;

/** Writes images as PNG, 8 bits a sample. */
public final class PngFile {
    private PngFile() {}

    /** The bytes of a file with the same colours; alpha is dropped. */
    public static byte[] bytes(RasterImage image) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(image.toBuffered(), "png", bytes);
        } catch (IOException e) {
            throw new IllegalStateException("an array cannot fail to be written", e);
        }
        return bytes.toByteArray();
    }
}
