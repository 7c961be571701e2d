package dev.diva.segment.train;

import dev.diva.BadInputException;
import dev.diva.data.Box;
import dev.diva.data.ColorMode;
import dev.diva.data.RasterImage;
import dev.diva.segment.SanPixels;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * How a picture becomes a training crop: a random short edge, a window at a random place, distorted colours, mirrored or not, grey to the
 * right and below where the picture ends. No window is preferred for its classes.
 *
 * @param shortEdges of which one is chosen, pixels
 * @param longEdge limit; where it would be passed, both become smaller
 * @param crop side of the square, pixels
 * @param ignored label of what is beyond the picture
 * @param varies whether colours are distorted and pictures mirrored
 */
record Augmentation(List<Integer> shortEdges, int longEdge, int crop, int ignored, boolean varies) {
    private static final byte GREY = (byte) 128;

    /**
     * What was drawn for a picture.
     *
     * @param width of the resized picture
     * @param height of the resized picture
     * @param window in it
     */
    record Choice(int width, int height, Box window, ColorDistortion color, boolean mirrored) {}

    /** Draws for a picture of that size. */
    Choice draw(int width, int height, RandomGenerator random) {
        int edge = shortEdges.get(random.nextInt(shortEdges.size()));
        int[] size = SanPixels.size(width, height, edge, longEdge);
        int wide = Math.min(crop, size[0]);
        int high = Math.min(crop, size[1]);
        int top = random.nextInt(size[1] - high + 1);
        int left = random.nextInt(size[0] - wide + 1);
        Box window = new Box(top, left, high, wide);
        return varies
                ? new Choice(size[0], size[1], window, ColorDistortion.draw(random), random.nextBoolean())
                : new Choice(size[0], size[1], window, ColorDistortion.NONE, false);
    }

    /**
     * Refuses a picture of which nothing is left at one of the sizes.
     *
     * @throws BadInputException naming it
     */
    void requireFits(RasterImage image, String name) {
        try {
            shortEdges.forEach(edge -> SanPixels.size(image.width(), image.height(), edge, longEdge));
        } catch (BadInputException e) {
            throw new BadInputException(name + ": " + e.getMessage(), e);
        }
    }

    /** Applies a choice. Labels are taken at floor(i * in / out) of the resized position i. */
    TrainingCrop of(RasterImage image, int[] labels, Choice choice) {
        Box window = choice.window;
        RasterImage cut = SanPixels.resized(image, choice.width, choice.height).crop(window);
        byte[] colors = choice.color.of(cut.samples());
        byte[] pixels = new byte[3 * crop * crop];
        int[] wanted = new int[crop * crop];
        Arrays.fill(pixels, GREY);
        Arrays.fill(wanted, ignored);
        for (int y = 0; y < window.height(); y++) {
            int row = (int) ((long) (window.top() + y) * image.height() / choice.height);
            for (int x = 0; x < window.width(); x++) {
                int from = choice.mirrored ? window.width() - 1 - x : x;
                int column = (int) ((long) (window.left() + from) * image.width() / choice.width);
                int to = y * crop + x;
                wanted[to] = labels[row * image.width() + column];
                System.arraycopy(colors, 3 * (y * window.width() + from), pixels, 3 * to, 3);
            }
        }
        return new TrainingCrop(RasterImage.of(ColorMode.RGB, crop, crop, pixels), wanted);
    }
}
