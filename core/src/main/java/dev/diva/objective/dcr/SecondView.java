package dev.diva.objective.dcr;

import dev.diva.data.Box;
import dev.diva.data.ColorMode;
import dev.diva.data.RandomCrop;
import dev.diva.data.RasterImage;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * DCR's change of an image: colours, flips on both axes, and a part of it resized to the whole. The authors change pixels that are
 * normalised already, where the colour changes clamp to 0..1: all that is darker than the mean becomes 0, and what is more than a standard
 * deviation above it 1. The right way changes bytes, which are normalised afterwards.
 *
 * @param jitter of the colours
 * @param flipHorizontally left and right change places
 * @param flipVertically top and bottom change places
 * @param box what is kept, after the flips
 */
public record SecondView(ColorJitter jitter, boolean flipHorizontally, boolean flipVertically, Box box) {
    private static final double[] STRENGTH = {0.1, 0.1, 0.1, 0.05};
    private static final RandomCrop CROP = new RandomCrop(0.9, 1, 0.9, 1.1);

    /**
     * Draws a change: order, factors, flips and box.
     *
     * @param side of the square image
     */
    public static SecondView draw(RandomGenerator random, int side) {
        List<Integer> order = new ArrayList<>(List.of(0, 1, 2, 3));
        for (int i = order.size() - 1; i > 0; i--) {
            Collections.swap(order, i, random.nextInt(i + 1));
        }
        List<Double> factors = new ArrayList<>();
        for (int i = 0; i < STRENGTH.length; i++) {
            double neutral = i == 3 ? 0 : 1; // a hue is shifted, all else is multiplied
            factors.add(neutral + STRENGTH[i] * (2 * random.nextDouble() - 1));
        }
        return new SecondView(
                new ColorJitter(order, factors),
                random.nextBoolean(),
                random.nextBoolean(),
                CROP.box(side, side, random::nextInt));
    }

    /**
     * The authors' way.
     *
     * @param normalised pixels of a tower, [3, side, side]
     * @return the same of the changed image
     */
    public float[] ofNormalised(float[] normalised, int side) {
        float[] planes = normalised.clone();
        jitter.apply(planes);
        return moved(planes, side);
    }

    /**
     * The right way: a changed image, for the tower's own preprocessing.
     *
     * @param image RGB, square
     */
    public RasterImage of(RasterImage image) {
        int side = image.width();
        byte[] samples = image.toRgb().samples();
        int area = side * side;
        float[] planes = new float[3 * area];
        for (int i = 0; i < planes.length; i++) {
            planes[i % 3 * area + i / 3] = (samples[i] & 0xff) / 255f;
        }
        jitter.apply(planes);
        float[] moved = moved(planes, side);
        byte[] changed = new byte[samples.length];
        for (int i = 0; i < changed.length; i++) {
            changed[i] = (byte) Math.round(255 * Math.max(0, Math.min(1, moved[i % 3 * area + i / 3])));
        }
        return RasterImage.of(ColorMode.RGB, side, side, changed);
    }

    private float[] moved(float[] planes, int side) {
        float[] flipped = new float[planes.length];
        for (int i = 0; i < planes.length; i++) {
            int x = i % side;
            int y = i / side % side;
            int fromX = flipHorizontally ? side - 1 - x : x;
            int fromY = flipVertically ? side - 1 - y : y;
            flipped[i] = planes[i - y * side - x + fromY * side + fromX];
        }
        return SmoothResize.of(flipped, side, box, side);
    }
}
