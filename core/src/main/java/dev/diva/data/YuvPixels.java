package dev.diva.data;

import java.io.IOException;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVPixFmtDescriptor;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.javacpp.BytePointer;

/**
 * Frames of brightness and two colour differences (or of green, blue and red) in RGB, in the whole numbers of libyuv, by which libavif
 * and so Pillow converts: constants in 64ths, halved colour planes spread by 9, 3, 3, 1 sixteenths. Samples of more than 8 bits are
 * shortened first.
 */
final class YuvPixels {
    /** Blue of U (at most 128, as on x86), green of U, green of V, red of V, and brightness in 64ths; its offset. */
    private record Matrix(int blueU, int greenU, int greenV, int redV, int scale, int offset) {
        private static final int FULL = 16320;
        private static final int LIMITED = 18997;

        static Matrix of(int space, boolean full) throws IOException {
            return switch (space) {
                case avutil.AVCOL_SPC_BT709 ->
                    full ? new Matrix(119, 12, 30, 101, FULL, 32) : new Matrix(128, 14, 34, 115, LIMITED, -1160);
                case avutil.AVCOL_SPC_BT2020_NCL ->
                    full ? new Matrix(120, 11, 37, 94, FULL, 32) : new Matrix(128, 12, 42, 107, 19003, -1160);
                case avutil.AVCOL_SPC_UNSPECIFIED, avutil.AVCOL_SPC_BT470BG, avutil.AVCOL_SPC_SMPTE170M ->
                    full ? new Matrix(113, 22, 46, 90, FULL, 32) : new Matrix(128, 25, 52, 102, LIMITED, -1160);
                default -> throw new IOException("colour matrix " + space + " is not read");
            };
        }

        int brightness(int luma) {
            return ((luma * 0x0101 * scale) >>> 16) + offset;
        }

        static byte clamp(int value) {
            return (byte) Math.max(0, Math.min(255, value >> 6));
        }
    }

    private YuvPixels() {}

    /**
     * @param alpha a frame of the same size whose brightness is the transparency, or null
     */
    static RasterImage of(AVFrame frame, AVFrame alpha) throws IOException {
        int width = frame.width();
        int height = frame.height();
        boolean grey = avutil.av_pix_fmt_desc_get(frame.format()).nb_components() < 3;
        if (grey && alpha == null && full(frame)) {
            return RasterImage.of(ColorMode.L, width, height, plane(frame, 0, width, height, true));
        }
        byte[][] rgb = grey ? greys(frame) : colors(frame);
        if (alpha == null) {
            return RasterImage.of(ColorMode.RGB, width, height, interleaved(rgb));
        }
        if (alpha.width() != width || alpha.height() != height) {
            throw new IOException("its transparency is of another size");
        }
        byte[] transparency = plane(alpha, 0, width, height, true);
        return RasterImage.of(ColorMode.RGBA, width, height, interleaved(rgb[0], rgb[1], rgb[2], transparency));
    }

    private static boolean full(AVFrame frame) {
        return frame.color_range() == avutil.AVCOL_RANGE_JPEG;
    }

    private static byte[] interleaved(byte[]... planes) {
        byte[] out = new byte[planes[0].length * planes.length];
        for (int c = 0; c < planes.length; c++) {
            for (int i = 0, at = c; i < planes[c].length; i++, at += planes.length) {
                out[at] = planes[c][i];
            }
        }
        return out;
    }

    private static byte[][] greys(AVFrame frame) throws IOException {
        byte[] luma = plane(frame, 0, frame.width(), frame.height(), true);
        if (!full(frame)) {
            Matrix matrix = Matrix.of(avutil.AVCOL_SPC_UNSPECIFIED, false);
            for (int i = 0; i < luma.length; i++) {
                luma[i] = Matrix.clamp(matrix.brightness(luma[i] & 0xff));
            }
        }
        return new byte[][] {luma, luma, luma};
    }

    private static byte[][] colors(AVFrame frame) throws IOException {
        AVPixFmtDescriptor format = avutil.av_pix_fmt_desc_get(frame.format());
        int width = frame.width();
        int height = frame.height();
        if ((format.flags() & avutil.AV_PIX_FMT_FLAG_RGB) != 0) { // planes of green, blue and red
            byte[] green = plane(frame, 0, width, height, true);
            byte[] blue = plane(frame, 1, width, height, true);
            return new byte[][] {plane(frame, 2, width, height, true), green, blue};
        }
        byte[] luma = plane(frame, 0, width, height, false);
        byte[] u = chroma(frame, 1, format);
        byte[] v = chroma(frame, 2, format);
        Matrix matrix = Matrix.of(frame.colorspace(), full(frame));
        for (int i = 0; i < luma.length; i++) {
            int y = matrix.brightness(luma[i] & 0xff);
            int cu = (u[i] & 0xff) - 128;
            int cv = (v[i] & 0xff) - 128;
            luma[i] = Matrix.clamp(y - cu * matrix.greenU - cv * matrix.greenV);
            u[i] = Matrix.clamp(y + cu * matrix.blueU);
            v[i] = Matrix.clamp(y + cv * matrix.redV);
        }
        return new byte[][] {v, luma, u};
    }

    /** A plane in 8 bits: of deeper samples the nearest value, or their first 8 bits. */
    private static byte[] plane(AVFrame frame, int index, int width, int height, boolean nearest) {
        int bits = avutil.av_pix_fmt_desc_get(frame.format()).comp(index).depth();
        int largest = (1 << bits) - 1;
        byte[] out = new byte[width * height];
        byte[] row = new byte[bits > 8 ? 2 * width : width];
        BytePointer data = frame.data(index);
        for (int y = 0; y < height; y++) {
            data.position((long) y * frame.linesize(index)).get(row);
            for (int x = 0; x < width; x++) {
                int value = (row[bits > 8 ? 2 * x : x] & 0xff) | (bits > 8 ? (row[2 * x + 1] & 0xff) << 8 : 0);
                out[y * width + x] = (byte) (nearest ? (value * 255 + largest / 2) / largest : value >> (bits - 8));
            }
        }
        return out;
    }

    /** A colour plane at the size of the picture. */
    private static byte[] chroma(AVFrame frame, int index, AVPixFmtDescriptor format) throws IOException {
        int width = ceilShift(frame.width(), format.log2_chroma_w());
        int height = ceilShift(frame.height(), format.log2_chroma_h());
        byte[] given = plane(frame, index, width, height, false);
        if (format.log2_chroma_w() == 0 && format.log2_chroma_h() == 0) {
            return given;
        }
        if (format.log2_chroma_w() != 1) {
            throw new IOException("its colours are sampled in an unknown way");
        }
        boolean halfHeight = format.log2_chroma_h() == 1;
        byte[] out = new byte[frame.width() * frame.height()];
        for (int y = 0, at = 0; y < frame.height(); y++) {
            int near = halfHeight ? y / 2 : y;
            int far = halfHeight ? neighbour(y, height) : y;
            for (int x = 0; x < frame.width(); x++, at++) {
                int left = x / 2;
                int right = x == frame.width() - 1 ? left : neighbour(x, width);
                int own = 3 * (given[near * width + left] & 0xff) + (given[near * width + right] & 0xff);
                int other = 3 * (given[far * width + left] & 0xff) + (given[far * width + right] & 0xff);
                // At the border both are one row, or one column: (3a + b + 2) / 4.
                out[at] = (byte) ((3 * own + other + 8) >> 4);
            }
        }
        return out;
    }

    /** The second sample next to a place, inside. */
    private static int neighbour(int place, int size) {
        int other = place % 2 == 0 ? place / 2 - 1 : place / 2 + 1;
        return Math.max(0, Math.min(size - 1, other));
    }

    private static int ceilShift(int size, int shift) {
        return (size + (1 << shift) - 1) >> shift;
    }
}
