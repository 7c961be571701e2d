package dev.diva.eval;

import java.util.Arrays;

/** AdamW (betas 0.9, 0.999, eps 1e-8, as torch) over the rows of a linear layer, with the rate on a half cosine. */
final class ProbeOptimizer {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPS = 1e-8;

    private final LinearProbe.Settings settings;
    private final int numSteps;
    private final float[][] values; // the rows of the weight, then the bias
    private final float[][] gradients;
    private final float[][] mean;
    private final float[][] square;
    private int step;

    ProbeOptimizer(float[][] weight, float[] bias, LinearProbe.Settings settings, int numSteps) {
        this.settings = settings;
        this.numSteps = numSteps;
        this.values = Arrays.copyOf(weight, weight.length + 1);
        values[weight.length] = bias;
        this.gradients = zeros();
        this.mean = zeros();
        this.square = zeros();
    }

    private float[][] zeros() {
        return Arrays.stream(values).map(row -> new float[row.length]).toArray(float[][]::new);
    }

    /** Adds the gradient of one sample for one class: factor * feature, and factor for the bias. */
    void accumulate(int row, float[] feature, float factor) {
        float[] gradient = gradients[row];
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] += factor * feature[i];
        }
        gradients[gradients.length - 1][row] += factor;
    }

    /** Updates all values and clears the gradients. */
    void step() {
        double rate = 0.5 * (1 + Math.cos(Math.PI * step / numSteps)) * settings.lr();
        step++;
        float correction1 = (float) (1 - Math.pow(BETA1, step));
        float correction2 = (float) Math.sqrt(1 - Math.pow(BETA2, step));
        float keep = (float) (1 - rate * settings.weightDecay());
        for (int row = 0; row < values.length; row++) {
            float[] gradient = gradients[row];
            float[] m = mean[row];
            float[] v = square[row];
            for (int i = 0; i < gradient.length; i++) {
                m[i] += (float) (1 - BETA1) * (gradient[i] - m[i]);
                v[i] = (float) BETA2 * v[i] + (float) (1 - BETA2) * gradient[i] * gradient[i];
                float denominator = (float) Math.sqrt(v[i]) / correction2 + (float) EPS;
                values[row][i] = keep * values[row][i] - (float) (rate / correction1) * m[i] / denominator;
            }
            Arrays.fill(gradient, 0);
        }
    }
}
