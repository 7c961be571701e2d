package dev.diva.data;

import java.util.function.IntSupplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * torchvision's RandomResizedCrop: a box of a random share of the area and a random aspect ratio, resized to a square.
 *
 * @param minScale least share of the area, at most {@code maxScale}
 * @param minRatio least width / height, at most {@code maxRatio}
 */
public record RandomCrop(double minScale, double maxScale, double minRatio, double maxRatio) {
    private static final RandomGeneratorFactory<RandomGenerator> GENERATORS =
            RandomGeneratorFactory.of("L64X128MixRandom");
    private static final int ATTEMPTS = 10;

    public RandomCrop {
        if (!(minScale > 0 && minScale <= maxScale && maxScale <= 1 && minRatio > 0 && minRatio <= maxRatio)) {
            throw new IllegalArgumentException(
                    "scale " + minScale + ".." + maxScale + ", ratio " + minRatio + ".." + maxRatio);
        }
    }

    /** The published recipe: 90 to 100 % of the area, ratio 3/4 to 4/3. */
    public static RandomCrop published() {
        return new RandomCrop(0.9, 1.0, 3.0 / 4.0, 4.0 / 3.0);
    }

    /** The box of an image, the same for the same arguments on every machine, thread and process. */
    public Box box(int width, int height, long seed, long epoch, long index) {
        RandomGenerator random = GENERATORS.create(Mix.of(seed, epoch, index));
        return box(width, height, random::nextInt);
    }

    /**
     * The box that torchvision draws when its generator gives these 32-bit outputs.
     *
     * @param outputs one output of 32 random bits a call
     */
    public Box box(int width, int height, IntSupplier outputs) {
        double area = (double) width * height;
        float logLow = (float) Math.log(minRatio);
        float logHigh = (float) Math.log(maxRatio);
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            double target = area * uniform(outputs, (float) minScale, (float) maxScale);
            float ratio = (float) Math.exp(uniform(outputs, logLow, logHigh));
            int boxWidth = (int) Math.rint(Math.sqrt(target * ratio));
            int boxHeight = (int) Math.rint(Math.sqrt(target / ratio));
            if (boxWidth > 0 && boxWidth <= width && boxHeight > 0 && boxHeight <= height) {
                int top = Integer.remainderUnsigned(outputs.getAsInt(), height - boxHeight + 1);
                int left = Integer.remainderUnsigned(outputs.getAsInt(), width - boxWidth + 1);
                return new Box(top, left, boxHeight, boxWidth);
            }
        }
        return central(width, height);
    }

    private Box central(int width, int height) {
        double ratio = (double) width / height;
        int boxWidth = width;
        int boxHeight = height;
        if (ratio < minRatio) {
            boxHeight = Math.min(height, (int) Math.rint(width / minRatio));
        } else if (ratio > maxRatio) {
            boxWidth = Math.min(width, (int) Math.rint(height * maxRatio));
        }
        boxWidth = Math.max(1, boxWidth);
        boxHeight = Math.max(1, boxHeight);
        return new Box((height - boxHeight) / 2, (width - boxWidth) / 2, boxHeight, boxWidth);
    }

    /** torch's float32 {@code uniform_}. */
    private static float uniform(IntSupplier outputs, float from, float to) {
        float unit = (outputs.getAsInt() & 0xffffff) * 0x1p-24f;
        return unit * (to - from) + from;
    }
}
