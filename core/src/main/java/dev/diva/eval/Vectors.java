package dev.diva.eval;

/** Arithmetic on embeddings. */
final class Vectors {
    private Vectors() {}

    static double dot(float[] a, float[] b) {
        if (a.length != b.length) {
            throw new IllegalArgumentException("embeddings of width " + a.length + " and " + b.length);
        }
        double even = 0; // two sums, so that one addition need not wait for the other
        double odd = 0;
        int i = 0;
        for (; i + 1 < a.length; i += 2) {
            even += (double) a[i] * b[i];
            odd += (double) a[i + 1] * b[i + 1];
        }
        return even + odd + (i < a.length ? (double) a[i] * b[i] : 0);
    }

    /** Divided by its L2 norm; zeros stay zeros. */
    static float[] unit(float[] vector) {
        double norm = Math.sqrt(dot(vector, vector));
        float[] unit = new float[vector.length];
        for (int i = 0; i < vector.length; i++) {
            unit[i] = norm == 0 ? 0 : (float) (vector[i] / norm);
        }
        return unit;
    }

    static float[][] units(float[][] rows) {
        float[][] units = new float[rows.length][];
        for (int i = 0; i < rows.length; i++) {
            units[i] = unit(rows[i]);
        }
        return units;
    }

    /** How many entries come before {@code index} in descending order; equal ones keep their order. */
    static int rank(float[] scores, int index) {
        int rank = 0;
        for (int i = 0; i < scores.length; i++) {
            rank += scores[i] > scores[index] || (scores[i] == scores[index] && i < index) ? 1 : 0;
        }
        return rank;
    }
}
