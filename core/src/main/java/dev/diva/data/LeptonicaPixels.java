package dev.diva.data;

import java.io.IOException;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.leptonica.PIX;
import org.bytedeco.leptonica.global.leptonica;

/** Images out of leptonica, which brings libjpeg-turbo along as a part of itself. Safe for any number of threads. */
final class LeptonicaPixels {
    static {
        leptonica.setMsgSeverity(leptonica.L_SEVERITY_NONE);
    }

    private LeptonicaPixels() {}

    /** JPEG of one or three components; damage that libjpeg passes over with a warning is passed over. */
    static RasterImage jpeg(byte[] file) throws IOException {
        return taken(leptonica.pixReadMemJpeg(
                file, file.length, 0, 1, (int[]) null, leptonica.L_JPEG_CONTINUE_WITH_BAD_DATA));
    }

    /** Binary PGM or PPM of 8 bits. */
    static RasterImage pnm(byte[] file) throws IOException {
        return taken(leptonica.pixReadMemPnm(file, file.length));
    }

    private static RasterImage taken(PIX image) throws IOException {
        if (image == null || image.isNull()) {
            throw new IOException("the native library cannot decode it");
        }
        try {
            return switch (image.d()) {
                case 8 -> RasterImage.of(ColorMode.L, image.w(), image.h(), samples(image, 1));
                case 32 -> RasterImage.of(ColorMode.RGB, image.w(), image.h(), samples(image, 3));
                default -> throw new IOException(image.d() + " bits a pixel are not read");
            };
        } finally {
            leptonica.pixDestroy(image);
        }
    }

    /** Pixels are words of 32 bits, the first sample in the highest byte; of grey ones four are in a word. */
    private static byte[] samples(PIX image, int channels) {
        IntPointer words = leptonica.pixGetData(image);
        int width = image.w();
        int[] row = new int[image.wpl()];
        byte[] out = new byte[width * image.h() * channels];
        for (int y = 0; y < image.h(); y++) {
            words.position((long) y * row.length).get(row);
            if (channels == 1) {
                greys(row, width, out, y * width);
            } else {
                colors(row, width, out, y * width * 3);
            }
        }
        return out;
    }

    private static void greys(int[] row, int width, byte[] out, int to) {
        for (int x = 0; x < width; x++) {
            out[to + x] = (byte) (row[x >> 2] >> (24 - 8 * (x & 3)));
        }
    }

    private static void colors(int[] row, int width, byte[] out, int to) {
        for (int x = 0; x < width; x++, to += 3) {
            int word = row[x];
            out[to] = (byte) (word >> 24);
            out[to + 1] = (byte) (word >> 16);
            out[to + 2] = (byte) (word >> 8);
        }
    }
}
