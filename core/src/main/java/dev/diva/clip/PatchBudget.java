package dev.diva.clip;

import dev.diva.data.Filter;
import dev.diva.data.Normalize;
import dev.diva.data.RasterImage;
import dev.diva.data.Resampler;

/**
 * Pictures as SigLIP 2 NaFlex takes them: resized to whole patches, at about their own ratio, of which there are at most so many.
 *
 * @param side pixels of a side of a patch
 * @param count patches of a picture at most
 */
public record PatchBudget(int side, int count) {
    private static final double EPSILON = 1e-5;
    private static final double LARGEST = 100;

    /** Height and width, then the normalised pixels of an RGB image, channels first. */
    float[] pixels(RasterImage image, Filter filter, float[] mean, float[] std) {
        double scale = scale(image.height(), image.width());
        int height = scaled(scale, image.height());
        int width = scaled(scale, image.width());
        float[] values = Normalize.toChw(Resampler.resize(image, width, height, filter), mean, std);
        float[] pixels = new float[2 + values.length];
        pixels[0] = height;
        pixels[1] = width;
        System.arraycopy(values, 0, pixels, 2, values.length);
        return pixels;
    }

    /** The largest scale that keeps to the budget, by transformers' bisection. */
    private double scale(int height, int width) {
        double low = EPSILON / 10;
        double high = LARGEST;
        while (high - low >= EPSILON) {
            double middle = (low + high) / 2;
            long patches = (long) (scaled(middle, height) / side) * (scaled(middle, width) / side);
            if (patches <= count) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Rounded up to whole patches, at least one. */
    private int scaled(double scale, int size) {
        return Math.max(side, (int) Math.ceil(size * scale / side) * side);
    }
}
