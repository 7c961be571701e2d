package dev.diva.eval;

import dev.diva.BadInputException;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Recalls over all captions with CLIP_benchmark's definitions. Only the best rank of each query is kept.
 *
 * @param imageRank for each text, the number of images ahead of its own
 * @param textRank for each image, the number of texts ahead of the best of its own
 */
public record RetrievalMetrics(int[] imageRank, int[] textRank) {
    /**
     * Ranks by cosine, row by row: the matrix of scores is never held.
     *
     * @param texts unit embeddings
     * @param images unit embeddings
     * @param imageOfText index of each text's image
     */
    public static RetrievalMetrics of(float[][] texts, float[][] images, int[] imageOfText) {
        if (texts.length == 0 || images.length == 0 || texts.length != imageOfText.length) {
            throw new BadInputException(images.length + " images and " + texts.length
                    + " captions; expected at least one of each, and an image for each caption");
        }
        int[] imageRank = new int[texts.length];
        IntStream.range(0, texts.length)
                .parallel()
                .forEach(t -> imageRank[t] = Vectors.rank(scores(texts[t], images, t), imageOfText[t]));
        int[] textRank = new int[images.length];
        Arrays.fill(textRank, Integer.MAX_VALUE);
        int[] start = new int[images.length + 1];
        for (int image : imageOfText) {
            start[image + 1]++;
        }
        Arrays.parallelPrefix(start, Integer::sum);
        int[] textsByImage = new int[texts.length];
        int[] next = start.clone();
        for (int t = 0; t < texts.length; t++) {
            textsByImage[next[imageOfText[t]]++] = t;
        }
        IntStream.range(0, images.length).parallel().forEach(i -> {
            float[] scores = scores(images[i], texts, i);
            for (int at = start[i]; at < start[i + 1]; at++) {
                textRank[i] = Math.min(textRank[i], Vectors.rank(scores, textsByImage[at]));
            }
        });
        return new RetrievalMetrics(imageRank, textRank);
    }

    private static float[] scores(float[] query, float[][] rows, int number) {
        float[] scores = new float[rows.length];
        for (int i = 0; i < rows.length; i++) {
            scores[i] = (float) Vectors.dot(query, rows[i]);
        }
        ClassificationMetrics.requireNumbers(scores, number);
        return scores;
    }

    /** Share of texts whose image is among the {@code k} best images. */
    public double imageRecall(int k) {
        return (double) within(imageRank, k) / imageRank.length;
    }

    /** Share of images with a caption among the {@code k} best texts. */
    public double textRecall(int k) {
        return (double) within(textRank, k) / textRank.length;
    }

    static int within(int[] ranks, int k) {
        return (int) Arrays.stream(ranks).filter(rank -> rank < k).count();
    }
}
