package dev.diva.feedback;

import java.util.List;

/**
 * Where embeddings of unit length lie: what is left of one after it is what tells it from others. Images and texts have centres of their own.
 *
 * @param mean over the embeddings
 * @param deviation root of the mean square of all entries of what is left, above 0
 */
public record EmbeddingCenter(float[] mean, double deviation) {
    public EmbeddingCenter {
        mean = mean.clone();
        if (!(deviation > 0)) {
            throw new IllegalArgumentException("deviation " + deviation + ", expected above 0");
        }
    }

    @Override
    public float[] mean() {
        return mean.clone();
    }

    /**
     * Of some embeddings.
     *
     * @param embeddings of unit length, at least two that differ
     */
    public static EmbeddingCenter of(List<float[]> embeddings) {
        int width = embeddings.get(0).length;
        double[] sums = new double[width];
        for (float[] embedding : embeddings) {
            for (int i = 0; i < width; i++) {
                sums[i] += embedding[i];
            }
        }
        float[] mean = new float[width];
        for (int i = 0; i < width; i++) {
            mean[i] = (float) (sums[i] / embeddings.size());
        }
        double squares = 0;
        for (float[] embedding : embeddings) {
            for (int i = 0; i < width; i++) {
                double rest = embedding[i] - sums[i] / embeddings.size();
                squares += rest * rest;
            }
        }
        return new EmbeddingCenter(mean, Math.sqrt(squares / ((double) embeddings.size() * width)));
    }
}
