package dev.diva.data;

import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;

/** Samples out of the JDK's images, without any colour management. */
final class BufferedPixels {
    private BufferedPixels() {}

    /** Pixels in sRGB; grey ones as they are stored. */
    static RasterImage of(BufferedImage image) {
        if (image.getColorModel() instanceof IndexColorModel indexed) {
            return indexed(image.getRaster(), indexed);
        }
        if (image.getType() == BufferedImage.TYPE_BYTE_GRAY) {
            return bands(image.getRaster(), ColorMode.L, 8);
        }
        if (image.getType() == BufferedImage.TYPE_USHORT_GRAY) {
            return bands(image.getRaster(), ColorMode.L, 16);
        }
        boolean alpha = image.getColorModel().hasAlpha();
        int width = image.getWidth();
        int height = image.getHeight();
        int channels = alpha ? 4 : 3;
        byte[] out = new byte[width * height * channels];
        int[] row = new int[width];
        for (int y = 0, to = 0; y < height; y++) {
            image.getRGB(0, y, width, 1, row, 0, width);
            for (int x = 0; x < width; x++) {
                out[to++] = (byte) (row[x] >> 16);
                out[to++] = (byte) (row[x] >> 8);
                out[to++] = (byte) row[x];
                if (alpha) {
                    out[to++] = (byte) (row[x] >>> 24);
                }
            }
        }
        return RasterImage.of(alpha ? ColorMode.RGBA : ColorMode.RGB, width, height, out);
    }

    static RasterImage indexed(Raster raster, IndexColorModel colors) {
        byte[] palette = new byte[768];
        for (int i = 0; i < Math.min(256, colors.getMapSize()); i++) {
            palette[i * 3] = (byte) colors.getRed(i);
            palette[i * 3 + 1] = (byte) colors.getGreen(i);
            palette[i * 3 + 2] = (byte) colors.getBlue(i);
        }
        RasterImage indices = bands(raster, ColorMode.L, 8);
        return new RasterImage(ColorMode.P, indices.width(), indices.height(), indices.samples(), palette);
    }

    /**
     * The first bands of a raster.
     *
     * @param depth bits of a sample: 16 keeps the high byte, fewer than 8 are spread to 0..255
     */
    static RasterImage bands(Raster raster, ColorMode mode, int depth) {
        int width = raster.getWidth();
        int height = raster.getHeight();
        int channels = mode.channels();
        byte[] out = new byte[width * height * channels];
        if (depth == 8 && copied(raster, channels, out)) {
            return RasterImage.of(mode, width, height, out);
        }
        int bands = raster.getNumBands();
        int[] row = new int[width * bands];
        for (int y = 0, to = 0; y < height; y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < channels; c++) {
                    int value = row[x * bands + c];
                    out[to++] =
                            (byte) (depth == 16 ? value >> 8 : depth < 8 ? value * 255 / ((1 << depth) - 1) : value);
                }
            }
        }
        return RasterImage.of(mode, width, height, out);
    }

    private static boolean copied(Raster raster, int channels, byte[] out) {
        if (raster.getTransferType() != DataBuffer.TYPE_BYTE
                || !(raster.getSampleModel() instanceof PixelInterleavedSampleModel model)
                || raster.getNumBands() != channels
                || raster.getParent() != null) {
            return false;
        }
        byte[] data = ((DataBufferByte) raster.getDataBuffer()).getData();
        int[] offsets = model.getBandOffsets();
        int stride = model.getPixelStride();
        for (int y = 0, to = 0; y < raster.getHeight(); y++) {
            int at = y * model.getScanlineStride();
            for (int x = 0; x < raster.getWidth(); x++, at += stride) {
                for (int c = 0; c < channels; c++) {
                    out[to++] = data[at + offsets[c]];
                }
            }
        }
        return true;
    }
}
