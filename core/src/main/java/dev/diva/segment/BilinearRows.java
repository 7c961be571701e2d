package dev.diva.segment;

import dev.diva.engine.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * Bilinear resizing of an axis (half-pixel centres, no antialiasing) as a matrix, so that resizings one after the other become one
 * product and any part of the result is computed by itself.
 *
 * @param weights [out][in]
 */
record BilinearRows(float[][] weights) {
    /** From {@code in} to {@code out} values. */
    static BilinearRows of(int in, int out) {
        float[][] rows = new float[out][in];
        double step = (double) in / out;
        for (int i = 0; i < out; i++) {
            double position = Math.max(0, (i + 0.5) * step - 0.5);
            int low = Math.min((int) position, in - 1);
            float part = (float) Math.min(1, position - low);
            rows[i][low] += 1 - part;
            rows[i][Math.min(low + 1, in - 1)] += part;
        }
        return new BilinearRows(rows);
    }

    /** The first values alone. */
    BilinearRows cut(int count) {
        return new BilinearRows(Arrays.copyOf(weights, count));
    }

    /** This one, then another. */
    BilinearRows then(BilinearRows next) {
        int in = weights[0].length;
        float[][] rows = new float[next.weights.length][in];
        for (int i = 0; i < rows.length; i++) {
            for (int middle = 0; middle < weights.length; middle++) {
                float weight = next.weights[i][middle];
                for (int j = 0; weight != 0 && j < in; j++) {
                    rows[i][j] += weight * weights[middle][j];
                }
            }
        }
        return new BilinearRows(rows);
    }

    int size() {
        return weights.length;
    }

    /** The rows of some results, [to - from, in]. */
    Tensor tensor(int from, int to) {
        return Tensors.ofRows(Arrays.copyOfRange(weights, from, to));
    }
}
