package dev.diva.data;

import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * JPEG of four components (CMYK of prints, or YCCK): the JDK's reader gives the raw components, which leptonica does not, and
 * they are converted here with libjpeg's integers.
 */
final class CmykJpeg {
    private CmykJpeg() {}

    static RasterImage decode(byte[] file, JpegHeader header) throws IOException {
        Raster raster = raster(withoutProfile(file));
        byte[] samples = ((DataBufferByte) raster.getDataBuffer()).getData();
        boolean ycck = header.adobeTransform() == 2;
        if (ycck) {
            toInvertedCmy(samples);
        }
        // CMYK is stored inverted. Of YCCK the conversion above left the inverted values already undone for C, M, Y.
        for (int i = 0; i < samples.length; i++) {
            if (!ycck || i % 4 == 3) {
                samples[i] = (byte) ~samples[i];
            }
        }
        return RasterImage.of(ColorMode.CMYK, raster.getWidth(), raster.getHeight(), samples);
    }

    private static Raster raster(byte[] file) throws IOException {
        ImageReader reader = ImageDecoder.javasReader("jpeg");
        try (ImageInputStream in = ImageDecoder.stream(file)) {
            reader.setInput(in, true, true);
            return reader.readRaster(0, null);
        } finally {
            reader.dispose();
        }
    }

    /** The JDK's reader refuses a file for its profile, which nobody uses. */
    private static byte[] withoutProfile(byte[] file) {
        ImageHeader.Bytes in = new ImageHeader.Bytes(file);
        ByteArrayOutputStream out = new ByteArrayOutputStream(file.length);
        int kept = 0;
        int at = 2;
        while (at + 4 <= file.length && in.at(at) == 0xff && in.at(at + 1) != 0xda) {
            int next = at + 2 + in.big(at + 2);
            if (in.at(at + 1) == 0xe2 && next <= file.length) {
                out.write(file, kept, at - kept);
                kept = next;
            }
            at = next;
        }
        out.write(file, kept, file.length - kept);
        return out.toByteArray();
    }

    private static void toInvertedCmy(byte[] samples) {
        for (int at = 0; at + 4 <= samples.length; at += 4) {
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
}
