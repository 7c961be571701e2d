package dev.diva.data;

import dev.diva.BadInputException;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;

/**
 * PNG in the mode that its header declares; of 16-bit samples the high byte is kept. Only the chunks that make pixels are read:
 * transparent colours, profiles and gamma are ignored, so nothing in them costs or changes the picture.
 */
final class PngPixels {
    private PngPixels() {}

    static RasterImage decode(byte[] file, String name) throws IOException {
        ImageHeader.Bytes in = new ImageHeader.Bytes(file);
        int depth = in.at(24);
        int colorType = in.at(25);
        BufferedImage image = image(in, name);
        Raster raster = image.getRaster();
        if (colorType == 3 || depth == 1) {
            ColorModel colors = image.getColorModel();
            if (!(colors instanceof IndexColorModel indexed)) {
                throw new BadInputException(name + ": a palette PNG without a palette");
            }
            return BufferedPixels.indexed(raster, indexed);
        }
        ColorMode mode = switch (colorType) {
            case 0 -> ColorMode.L;
            case 2 -> ColorMode.RGB;
            case 4 -> ColorMode.LA;
            case 6 -> ColorMode.RGBA;
            default -> throw new BadInputException(name + ": PNG colour type " + colorType);
        };
        return BufferedPixels.bands(raster, mode, depth);
    }

    /** The samples as they are stored. */
    static Raster raster(byte[] file, String name) throws IOException {
        return image(new ImageHeader.Bytes(file), name).getRaster();
    }

    private static BufferedImage image(ImageHeader.Bytes in, String name) throws IOException {
        return ImageDecoder.read(ImageDecoder.javasReader("png"), pixelChunks(in, name), Long.MAX_VALUE);
    }

    /**
     * The file with its critical chunks alone, whose names start with a capital. Every chunk must lie inside the file; a length
     * that does not is how truncation and hostile sizes show.
     */
    private static byte[] pixelChunks(ImageHeader.Bytes in, String name) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(in.data().length);
        out.write(in.data(), 0, 8);
        int at = 8;
        while (true) {
            if (at + 12 > in.data().length) {
                throw new BadInputException(name + ": the PNG is truncated (no end chunk)");
            }
            int length = in.bigInt(at);
            if (length < 0 || length > in.data().length - at - 12) {
                throw new BadInputException(name + ": the PNG is truncated (a chunk of "
                        + Integer.toUnsignedLong(length) + " bytes at byte " + at + " of " + in.data().length + ")");
            }
            if (Character.isUpperCase(in.at(at + 4))) {
                out.write(in.data(), at, 12 + length);
            }
            if (in.startsWith(at + 4, 'I', 'E', 'N', 'D')) {
                return out.toByteArray();
            }
            at += 12 + length;
        }
    }
}
