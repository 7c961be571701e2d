package dev.diva.testing;

import dev.diva.engine.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/** Comparison of whole tensors; fails on NaN, on another shape and on an empty tensor. */
public final class Close {
    private Close() {}

    /**
     * Asserts |actual - expected| <= atol + rtol * |expected| everywhere.
     *
     * @throws AssertionError with the worst index, both values and the largest errors
     */
    public static void assertClose(Tensor actual, Tensor expected, double rtol, double atol) {
        if (!Arrays.equals(actual.shape(), expected.shape())) {
            throw new AssertionError(
                    "shape " + Arrays.toString(actual.shape()) + ", expected " + Arrays.toString(expected.shape()));
        }
        assertClose(Tensors.toFloats(actual), Tensors.toFloats(expected), rtol, atol);
    }

    /** The same relative to the largest expected magnitude of the tensor: |actual - expected| <= max(atol, rtol * max|expected|). */
    public static void assertCloseToLargest(Tensor actual, Tensor expected, double rtol, double atol) {
        float largest = 0;
        for (float value : Tensors.toFloats(expected)) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertClose(actual, expected, 0, Math.max(atol, rtol * largest));
    }

    /** The same for plain arrays. */
    public static void assertClose(float[] actual, float[] expected, double rtol, double atol) {
        if (expected.length == 0 || actual.length != expected.length) {
            throw new AssertionError(actual.length + " values, expected " + expected.length + " (and at least one)");
        }
        int worst = -1;
        double worstExcess = 0;
        double largestError = 0;
        for (int i = 0; i < actual.length; i++) {
            double error = Math.abs((double) actual[i] - expected[i]);
            double excess = error - (atol + rtol * Math.abs(expected[i]));
            if (!(excess <= 0) && (worst < 0 || !(excess <= worstExcess))) {
                worst = i;
                worstExcess = excess;
            }
            largestError = Double.isNaN(error) ? Double.NaN : Math.max(largestError, error);
        }
        if (worst >= 0) {
            throw new AssertionError("index " + worst + ": " + actual[worst] + ", expected " + expected[worst]
                    + "; largest absolute error " + largestError + " (rtol " + rtol + ", atol " + atol + ")");
        }
    }
}
