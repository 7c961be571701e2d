package dev.diva.segment;

import dev.diva.data.ColorMode;
import dev.diva.data.Filter;
import dev.diva.data.RasterImage;
import dev.diva.data.Resampler;

/**
 * The cosine of every patch of a picture with a text.
 *
 * @param rows of patches
 * @param columns of patches
 * @param cosines row by row
 */
public record HeatMap(int rows, int columns, float... cosines) {
    private static final int LARGEST = 256; // side of a drawing, pixels
    private static final int[] COLD = {0x1d, 0x2f, 0x6f};
    private static final int[] HOT = {0xff, 0xd2, 0x3f};
    private static final double COLOR = 0.6; // share of the colour in a pixel, the rest is the picture in grey

    /** Smallest cosine. */
    public double least() {
        double least = Double.POSITIVE_INFINITY;
        for (float cosine : cosines) {
            least = Math.min(least, cosine);
        }
        return least;
    }

    /** Largest cosine. */
    public double most() {
        double most = Double.NEGATIVE_INFINITY;
        for (float cosine : cosines) {
            most = Math.max(most, cosine);
        }
        return most;
    }

    /**
     * The picture in grey with the patches over it, dark blue at {@code low} to yellow at {@code high}; maps that are to be compared take the same two.
     *
     * @return at most 256 pixels a side
     */
    public RasterImage draw(RasterImage image, double low, double high) {
        double scale = Math.min(1, (double) LARGEST / Math.max(image.width(), image.height()));
        int width = (int) Math.max(1, Math.round(image.width() * scale));
        int height = (int) Math.max(1, Math.round(image.height() * scale));
        byte[] rgb =
                Resampler.resize(image.toRgb(), width, height, Filter.BICUBIC).samples();
        byte[] drawn = new byte[rgb.length];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int at = 3 * (y * width + x);
                double grey = 0.299 * (rgb[at] & 0xff) + 0.587 * (rgb[at + 1] & 0xff) + 0.114 * (rgb[at + 2] & 0xff);
                double cosine = cosines[y * rows / height * columns + x * columns / width];
                double heat = high > low ? Math.max(0, Math.min(1, (cosine - low) / (high - low))) : 0;
                for (int c = 0; c < 3; c++) {
                    double color = COLD[c] + heat * (HOT[c] - COLD[c]);
                    drawn[at + c] = (byte) Math.round(COLOR * color + (1 - COLOR) * grey);
                }
            }
        }
        return RasterImage.of(ColorMode.RGB, width, height, drawn);
    }
}
