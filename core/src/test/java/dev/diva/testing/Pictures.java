package dev.diva.testing;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/** Golden pixels as files. */
public final class Pictures {
    private Pictures() {}

    /** Writes a square image, channels first, as PNG. */
    public static void writePng(long[] chw, Path path) throws IOException {
        int size = (int) Math.round(Math.sqrt(chw.length / 3.0));
        int area = size * size;
        BufferedImage image = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < area; i++) {
            image.setRGB(i % size, i / size, (int) (chw[i] << 16 | chw[area + i] << 8 | chw[2 * area + i]));
        }
        ImageIO.write(image, "png", path.toFile());
    }
}
