package dev.diva.objective.dcr;

import dev.diva.data.Box;

/** Bilinear resizing of a part of an image of floats with antialiasing, as torch's {@code interpolate(antialias=True)}. */
final class SmoothResize {
    private SmoothResize() {}

    /**
     * Cuts out a box and resizes it to a square.
     *
     * @param planes [3, height, width]
     * @return [3, side, side]
     */
    static float[] of(float[] planes, int width, Box box, int side) {
        int height = planes.length / 3 / width;
        float[][] across = weights(box.width(), side);
        float[][] down = weights(box.height(), side);
        float[] result = new float[3 * side * side];
        for (int channel = 0; channel < 3; channel++) {
            float[] narrow = new float[box.height() * side];
            for (int row = 0; row < box.height(); row++) {
                int from = (channel * height + box.top() + row) * width + box.left();
                for (int x = 0; x < side; x++) {
                    narrow[row * side + x] = sum(planes, from, 1, across[x]);
                }
            }
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) {
                    result[(channel * side + y) * side + x] = sum(narrow, x, side, down[y]);
                }
            }
        }
        return result;
    }

    /** @param weights where they begin, then the weights */
    private static float sum(float[] values, int from, int step, float[] weights) {
        float sum = 0;
        int first = (int) weights[0];
        for (int i = 1; i < weights.length; i++) {
            sum += weights[i] * values[from + (first + i - 1) * step];
        }
        return sum;
    }

    /** For each place of the result the first place of the source, then the weights from there on. */
    private static float[][] weights(int in, int out) {
        double scale = (double) in / out;
        double support = Math.max(1, scale);
        float[][] all = new float[out][];
        for (int i = 0; i < out; i++) {
            double center = scale * (i + 0.5);
            int first = Math.max(0, (int) (center - support + 0.5));
            int last = Math.min(in, (int) (center + support + 0.5));
            double[] weights = new double[last - first];
            double total = 0;
            for (int j = 0; j < weights.length; j++) {
                weights[j] = Math.max(0, 1 - Math.abs((j + first - center + 0.5) / support));
                total += weights[j];
            }
            all[i] = new float[1 + weights.length];
            all[i][0] = first;
            for (int j = 0; j < weights.length; j++) {
                all[i][1 + j] = (float) (weights[j] / total);
            }
        }
        return all;
    }
}
