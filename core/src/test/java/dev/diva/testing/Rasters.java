package dev.diva.testing;

import dev.diva.data.ColorMode;
import dev.diva.data.RasterImage;
import dev.diva.engine.Tensors;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.bytedeco.pytorch.Tensor;

/** Golden images as images and as files. */
public final class Rasters {
    private Rasters() {}

    /** Of uint8 [images, 3, height, width]. */
    public static List<RasterImage> of(Tensor images) {
        List<RasterImage> rasters = new ArrayList<>();
        for (long i = 0; i < images.size(0); i++) {
            long[] values = Tensors.toLongs(images.select(0, i).permute(1, 2, 0));
            byte[] samples = new byte[values.length];
            for (int j = 0; j < samples.length; j++) {
                samples[j] = (byte) values[j];
            }
            rasters.add(RasterImage.of(ColorMode.RGB, (int) images.size(3), (int) images.size(2), samples));
        }
        return rasters;
    }

    /** Writes images as 00.png, 01.png, ... */
    public static void write(List<RasterImage> images, Path folder) throws IOException {
        for (int i = 0; i < images.size(); i++) {
            RasterImage image = images.get(i);
            BufferedImage buffered = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
            for (int p = 0; p < image.width() * image.height(); p++) {
                byte[] s = image.samples();
                int rgb = (s[3 * p] & 0xff) << 16 | (s[3 * p + 1] & 0xff) << 8 | (s[3 * p + 2] & 0xff);
                buffered.setRGB(p % image.width(), p / image.width(), rgb);
            }
            ImageIO.write(
                    buffered,
                    "png",
                    folder.resolve(String.format("%02d.png", i)).toFile());
        }
    }
}
