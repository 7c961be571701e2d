package dev.diva.data;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import javax.imageio.ImageIO;

/** Writes images as PNG, 8 bits a sample. */
public final class PngFile {
    private PngFile() {}

    /** The bytes of a file with the same colours; alpha is dropped. */
    public static byte[] bytes(RasterImage image) {
        byte[] samples = image.toRgb().samples();
        BufferedImage buffered = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < image.width() * image.height(); i++) {
            int rgb = (samples[3 * i] & 0xff) << 16 | (samples[3 * i + 1] & 0xff) << 8 | (samples[3 * i + 2] & 0xff);
            buffered.setRGB(i % image.width(), i / image.width(), rgb);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(buffered, "png", bytes);
        } catch (IOException e) {
            throw new IllegalStateException("an array cannot fail to be written", e);
        }
        return bytes.toByteArray();
    }
}
