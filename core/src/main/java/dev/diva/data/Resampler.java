package dev.diva.data;

import java.util.Arrays;

/**
 * Resizing in 8 bits that gives Pillow's numbers: antialiased, 22-bit fixed-point weights, two passes with the first rounded to
 * bytes, the horizontal one first unless the height shrinks much more. Palette images take the nearest pixel; images with alpha
 * are resized premultiplied.
 */
public final class Resampler {
    private static final int HALF = 1 << (Taps.BITS - 1);
    private static final long HALVES = (long) HALF << 32 | HALF;

    private Resampler() {}

    /** The whole image at another size. */
    public static RasterImage resize(RasterImage image, int width, int height, Filter filter) {
        return resize(image, image.bounds(), width, height, filter);
    }

    /** A box of the image at another size; pixels outside of the box have no influence (torchvision's resized_crop). */
    public static RasterImage resize(RasterImage image, Box box, int width, int height, Filter filter) {
        box.requireInside(image.width(), image.height());
        if (box.width() == width && box.height() == height) {
            return image.crop(box);
        }
        if (image.mode() == ColorMode.P) {
            return nearest(image, box, width, height);
        }
        if (!image.mode().hasAlpha()) {
            return filtered(image, box, width, height, filter);
        }
        RasterImage cropped = image.crop(box);
        RasterImage premultiplied = RasterImage.of(image.mode(), box.width(), box.height(), Alpha.premultiply(cropped));
        RasterImage resized = filtered(premultiplied, premultiplied.bounds(), width, height, filter);
        return RasterImage.of(image.mode(), width, height, Alpha.unpremultiply(resized));
    }

    private static RasterImage nearest(RasterImage image, Box box, int width, int height) {
        byte[] out = new byte[width * height];
        int[] columns = nearestIndices(box.width(), width);
        int[] rows = nearestIndices(box.height(), height);
        for (int y = 0; y < height; y++) {
            int row = (box.top() + rows[y]) * image.width() + box.left();
            for (int x = 0; x < width; x++) {
                out[y * width + x] = image.samples()[row + columns[x]];
            }
        }
        return new RasterImage(image.mode(), width, height, out, image.palette());
    }

    /** Positions are summed up, not multiplied, as Pillow does it. */
    private static int[] nearestIndices(int inSize, int outSize) {
        double step = (double) inSize / outSize;
        int[] indices = new int[outSize];
        double position = step * 0.5;
        for (int i = 0; i < outSize; i++) {
            indices[i] = Math.min(inSize - 1, (int) position);
            position += step;
        }
        return indices;
    }

    private static RasterImage filtered(RasterImage image, Box box, int width, int height, Filter filter) {
        if (verticalFirst(box, width, height)) {
            RasterImage columns = vertical(image.crop(box), height, filter);
            return horizontal(columns, columns.bounds(), width, filter);
        }
        return vertical(horizontal(image, box, width, filter), height, filter);
    }

    /**
     * Pillow 13 takes the vertical pass first when the height shrinks by more than twice the pixels that the width shrinks by;
     * measured on its results, versions before it never do.
     */
    private static boolean verticalFirst(Box box, int width, int height) {
        int shrinks = box.height() - height;
        return shrinks > 0 && shrinks > 2L * (box.width() - width);
    }

    private static RasterImage horizontal(RasterImage image, Box box, int width, Filter filter) {
        if (box.width() == width) {
            return image.crop(box);
        }
        byte[] rows = horizontal(image, box, width, Taps.of(box.width(), width, filter));
        return RasterImage.of(image.mode(), width, box.height(), rows);
    }

    private static RasterImage vertical(RasterImage image, int height, Filter filter) {
        if (image.height() == height) {
            return image;
        }
        Taps taps = Taps.of(image.height(), height, filter);
        int rowLength = image.width() * image.mode().channels();
        return RasterImage.of(image.mode(), image.width(), height, vertical(image.samples(), rowLength, height, taps));
    }

    private static byte[] horizontal(RasterImage image, Box box, int width, Taps taps) {
        int channels = image.mode().channels();
        byte[] out = new byte[box.height() * width * channels];
        long[] pairs = new long[box.width() * channels];
        for (int y = 0; y < box.height(); y += 2) {
            int next = Math.min(y + 1, box.height() - 1); // a last odd row is its own pair
            pair(image.samples(), image.at(box.left(), box.top() + y), image.at(box.left(), box.top() + next), pairs);
            int to = y * width * channels;
            int nextTo = next * width * channels;
            if (channels == 3) {
                rowsOfThree(pairs, out, to, nextTo, taps);
            } else {
                rows(pairs, channels, out, to, nextTo, taps);
            }
        }
        return out;
    }

    /** Two rows in the halves of longs, so that one multiplication serves both. */
    private static void pair(byte[] in, int from, int nextFrom, long[] pairs) {
        for (int i = 0; i < pairs.length; i++) {
            pairs[i] = (in[from + i] & 0xff) | (long) (in[nextFrom + i] & 0xff) << 32;
        }
    }

    private static void rowsOfThree(long[] in, byte[] out, int to, int nextTo, Taps taps) {
        int[] weights = taps.weights();
        for (int x = 0; x < taps.first().length; x++) {
            long red = HALVES;
            long green = HALVES;
            long blue = HALVES;
            int at = taps.first()[x] * 3;
            int weightsAt = x * taps.most();
            int end = weightsAt + taps.count()[x];
            for (int i = weightsAt; i < end; i++, at += 3) {
                long weight = weights[i];
                red += in[at] * weight;
                green += in[at + 1] * weight;
                blue += in[at + 2] * weight;
            }
            put(red, out, to + x * 3, nextTo + x * 3);
            put(green, out, to + x * 3 + 1, nextTo + x * 3 + 1);
            put(blue, out, to + x * 3 + 2, nextTo + x * 3 + 2);
        }
    }

    private static void rows(long[] in, int channels, byte[] out, int to, int nextTo, Taps taps) {
        for (int x = 0; x < taps.first().length; x++) {
            for (int c = 0; c < channels; c++) {
                long sums = HALVES;
                int at = taps.first()[x] * channels + c;
                for (int i = 0; i < taps.count()[x]; i++, at += channels) {
                    sums += in[at] * taps.weights()[x * taps.most() + i];
                }
                put(sums, out, to + x * channels + c, nextTo + x * channels + c);
            }
        }
    }

    /** The lower sum is exact modulo 2^32; if it is negative it has borrowed one of the upper sum. */
    private static void put(long sums, byte[] out, int to, int nextTo) {
        int lower = (int) sums;
        out[to] = clip(lower);
        out[nextTo] = clip((int) ((sums - lower) >> 32));
    }

    private static byte[] vertical(byte[] in, int rowLength, int height, Taps taps) {
        byte[] out = new byte[rowLength * height];
        int[] sums = new int[rowLength];
        for (int y = 0; y < height; y++) {
            Arrays.fill(sums, HALF);
            for (int i = 0; i < taps.count()[y]; i++) {
                addRow(in, (taps.first()[y] + i) * rowLength, taps.weights()[y * taps.most() + i], sums);
            }
            for (int x = 0; x < rowLength; x++) {
                out[y * rowLength + x] = clip(sums[x]);
            }
        }
        return out;
    }

    /** One multiply-add over a row; a loop of this shape is vectorised by the JIT compiler. */
    private static void addRow(byte[] in, int from, int weight, int[] sums) {
        for (int x = 0; x < sums.length; x++) {
            sums[x] += (in[from + x] & 0xff) * weight;
        }
    }

    private static byte clip(int sum) {
        return (byte) Math.max(0, Math.min(255, sum >> Taps.BITS));
    }
}
