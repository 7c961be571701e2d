package dev.diva.data;

import com.luciad.imageio.webp.WebPImageReaderSpi;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** WebP through libwebp; of an animated one the first frame on its canvas, which is black and transparent elsewhere. */
final class WebpPixels {
    private static final int EXTENDED = 12;
    private static final int ANIMATED = 0x02;
    private static final int ALPHA = 0x10;
    private static final int FRAME_HEADER = 16;

    private WebpPixels() {}

    static RasterImage decode(byte[] file, ImageHeader header, long maxPixels) throws IOException {
        ImageHeader.Bytes in = new ImageHeader.Bytes(file);
        boolean animated = in.startsWith(EXTENDED, 'V', 'P', '8', 'X') && (in.at(20) & ANIMATED) != 0;
        if (!animated) {
            return read(file, maxPixels);
        }
        if (Integer.toUnsignedLong(in.little(4, 4)) + 8 > file.length) {
            throw new IOException("it is truncated");
        }
        int frame = find(in, EXTENDED, file.length, "ANMF");
        int end = end(in, frame, file.length);
        RasterImage pixels = read(still(in, frame + 8, end), maxPixels);
        int left = 2 * in.little(frame + 8, 3);
        int top = 2 * in.little(frame + 11, 3);
        if (left + pixels.width() > header.width() || top + pixels.height() > header.height()) {
            throw new IOException("its first frame leaves the canvas");
        }
        ColorMode mode = (in.at(20) & ALPHA) != 0 ? ColorMode.RGBA : ColorMode.RGB;
        return onCanvas(pixels, mode, header, left, top);
    }

    private static RasterImage read(byte[] file, long maxPixels) throws IOException {
        return BufferedPixels.of(
                ImageDecoder.read(new WebPImageReaderSpi().createReaderInstance(null), file, maxPixels));
    }

    private static RasterImage onCanvas(RasterImage frame, ColorMode mode, ImageHeader canvas, int left, int top) {
        int channels = mode.channels();
        byte[] out = new byte[canvas.width() * canvas.height() * channels];
        int given = frame.mode().channels();
        for (int y = 0; y < frame.height(); y++) {
            int from = frame.at(0, y);
            int to = ((top + y) * canvas.width() + left) * channels;
            for (int x = 0; x < frame.width(); x++, from += given, to += channels) {
                System.arraycopy(frame.samples(), from, out, to, 3);
                if (channels == 4) {
                    out[to + 3] = given == 4 ? frame.samples()[from + 3] : (byte) 0xff;
                }
            }
        }
        return RasterImage.of(mode, canvas.width(), canvas.height(), out);
    }

    /** The chunks of a frame as a file of its own. */
    private static byte[] still(ImageHeader.Bytes in, int frame, int end) throws IOException {
        int chunks = frame + FRAME_HEADER;
        ByteArrayOutputStream out = new ByteArrayOutputStream(end - chunks + 30);
        boolean alpha = in.startsWith(chunks, 'A', 'L', 'P', 'H');
        write(out, "RIFF", (alpha ? 22 : 4) + end - chunks);
        out.writeBytes("WEBP".getBytes(StandardCharsets.ISO_8859_1));
        if (alpha) {
            write(out, "VP8X", 10);
            out.writeBytes(new byte[] {ALPHA, 0, 0, 0});
            out.write(in.data(), frame + 6, 6); // width and height, each less one
        }
        out.write(in.data(), chunks, end - chunks);
        return out.toByteArray();
    }

    private static void write(ByteArrayOutputStream out, String name, int length) {
        out.writeBytes(name.getBytes(StandardCharsets.ISO_8859_1));
        for (int shift = 0; shift < 32; shift += 8) {
            out.write(length >> shift);
        }
    }

    private static int find(ImageHeader.Bytes in, int from, int end, String name) throws IOException {
        for (int at = from; at + 8 <= end; at = end(in, at, end)) {
            if (in.startsWith(at, name.chars().toArray())) {
                return at;
            }
        }
        throw new IOException("an animation without frames");
    }

    /** Behind a chunk, which is padded to whole pairs of bytes. */
    private static int end(ImageHeader.Bytes in, int chunk, int limit) throws IOException {
        long length = Integer.toUnsignedLong(in.little(chunk + 4, 4));
        long end = chunk + 8 + length + (length & 1);
        if (end > limit) {
            throw new IOException("a chunk leaves the file");
        }
        return (int) end;
    }
}
