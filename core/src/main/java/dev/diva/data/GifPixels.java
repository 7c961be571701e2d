package dev.diva.data;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Arrays;

/**
 * The first frame of a GIF on its screen. What the frame does not cover has the transparent colour, or without one the first. As
 * in Pillow, a palette whose colours are the greys of their own indices makes a grey image.
 */
final class GifPixels {
    private GifPixels() {}

    static RasterImage decode(byte[] file, long maxPixels) throws IOException {
        GifHeader header = GifHeader.read(new ImageHeader.Bytes(file));
        BufferedImage image = ImageDecoder.read(ImageDecoder.javasReader("gif"), file, maxPixels);
        RasterImage frame = BufferedPixels.bands(image.getRaster(), ColorMode.L, 8);
        if (header.left() + frame.width() > header.width() || header.top() + frame.height() > header.height()) {
            throw new IOException("its frame has another size than its header says");
        }
        byte[] screen = new byte[header.width() * header.height()];
        Arrays.fill(screen, (byte) Math.max(0, header.transparent()));
        for (int y = 0; y < frame.height(); y++) {
            int to = (header.top() + y) * header.width() + header.left();
            System.arraycopy(frame.samples(), y * frame.width(), screen, to, frame.width());
        }
        return header.isGrey()
                ? RasterImage.of(ColorMode.L, header.width(), header.height(), screen)
                : new RasterImage(
                        ColorMode.P, header.width(), header.height(), screen, Arrays.copyOf(header.palette(), 768));
    }
}
