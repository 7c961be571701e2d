package dev.diva.data;

import dev.diva.BadInputException;
import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * JPEG through the JDK's libjpeg, without embedded profiles. Where the JDK guesses another colour space than libjpeg does, the raw
 * components are read and converted here, with libjpeg's integers.
 */
final class JpegPixels {
    private JpegPixels() {}

    static RasterImage decode(byte[] file, String name) throws IOException {
        JpegHeader header = JpegHeader.read(new ImageHeader.Bytes(file), name);
        if (!hasEnd(file)) {
            throw new BadInputException(name + ": the JPEG is truncated (no end marker)");
        }
        ImageReader reader = reader();
        boolean[] premature = new boolean[1];
        try (ImageInputStream in = ImageDecoder.stream(file)) {
            reader.setInput(in, true, true);
            reader.addIIOReadWarningListener((source, warning) -> premature[0] |= warning.contains("remature"));
            RasterImage image =
                    header.isSurelyYcc() ? readRgb(reader) : convert(reader.readRaster(0, null), header, name);
            if (premature[0]) {
                throw new BadInputException(name + ": the JPEG is truncated (its data end early)");
            }
            return image;
        } finally {
            reader.dispose();
        }
    }

    private static ImageReader reader() {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName("jpeg");
        while (readers.hasNext()) {
            ImageReader reader = readers.next();
            if (reader.getClass().getName().startsWith("com.sun.imageio")) {
                return reader;
            }
        }
        throw new IllegalStateException("this Java has no JPEG reader");
    }

    /** RGB as the native library makes it, straight into the samples; where bands are named, the reader leaves profiles alone. */
    private static RasterImage readRgb(ImageReader reader) throws IOException {
        int width = reader.getWidth(0);
        int height = reader.getHeight(0);
        byte[] samples = new byte[width * height * 3];
        int[] bands = {0, 1, 2};
        WritableRaster raster = Raster.createInterleavedRaster(
                new DataBufferByte(samples, samples.length), width, height, width * 3, 3, bands, null);
        ColorModel rgb = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_sRGB), false, false, Transparency.OPAQUE, DataBuffer.TYPE_BYTE);
        ImageReadParam settings = reader.getDefaultReadParam();
        settings.setSourceBands(bands);
        settings.setDestinationBands(bands);
        settings.setDestination(new BufferedImage(rgb, raster, false, null));
        reader.read(0, settings);
        return RasterImage.of(ColorMode.RGB, width, height, samples);
    }

    private static RasterImage convert(Raster raster, JpegHeader header, String name) {
        byte[] samples = ((DataBufferByte) raster.getDataBuffer()).getData();
        int bands = raster.getNumBands();
        int width = raster.getWidth();
        int height = raster.getHeight();
        if (bands == 1) {
            return RasterImage.of(ColorMode.L, width, height, samples);
        }
        if (bands != 3 && bands != 4) {
            throw new BadInputException(name + ": a JPEG of " + bands + " components; 1, 3 or 4 are read");
        }
        if (header.isYcc()) {
            yccToRgb(samples, bands);
        }
        if (bands == 3) {
            return RasterImage.of(ColorMode.RGB, width, height, samples);
        }
        // CMYK is stored inverted. Of YCCK the conversion above left the inverted values already undone for C, M, Y.
        for (int i = 0; i < samples.length; i++) {
            if (!header.isYcc() || i % 4 == 3) {
                samples[i] = (byte) ~samples[i];
            }
        }
        return RasterImage.of(ColorMode.CMYK, width, height, samples);
    }

    private static void yccToRgb(byte[] samples, int bands) {
        for (int at = 0; at + bands <= samples.length; at += bands) {
            int y = samples[at] & 0xff;
            int cb = (samples[at + 1] & 0xff) - 128;
            int cr = (samples[at + 2] & 0xff) - 128;
            samples[at] = clip(y + ((91881 * cr + 32768) >> 16));
            samples[at + 1] = clip(y + ((-22554 * cb - 46802 * cr + 32768) >> 16));
            samples[at + 2] = clip(y + ((116130 * cb + 32768) >> 16));
        }
    }

    private static byte clip(int value) {
        return (byte) Math.max(0, Math.min(255, value));
    }

    private static boolean hasEnd(byte[] file) {
        for (int i = file.length - 2; i >= 0; i--) {
            if (file[i] == (byte) 0xff && file[i + 1] == (byte) 0xd9) {
                return true;
            }
        }
        return false;
    }
}
