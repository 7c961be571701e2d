package dev.diva.eval.segmentation;

import java.util.Map;
import java.util.TreeMap;

/**
 * Confusion of one picture: how many pixels of a class were named as which. Ignored pixels have the number of classes as their truth.
 *
 * @param cells predicted class, true class, pixels, one triple after the other, by predicted and true class; none is empty
 */
public record PixelCounts(int[] cells) {
    /** Counts a picture. */
    public static PixelCounts of(int[] predicted, int[] truth, int classes) {
        if (predicted.length != truth.length) {
            throw new IllegalArgumentException(predicted.length + " labels for " + truth.length + " pixels");
        }
        Map<Integer, Integer> counts = new TreeMap<>();
        for (int i = 0; i < truth.length; i++) {
            counts.merge(predicted[i] * (classes + 1) + Math.min(truth[i], classes), 1, Integer::sum);
        }
        int[] cells = new int[3 * counts.size()];
        int at = 0;
        for (Map.Entry<Integer, Integer> entry : counts.entrySet()) {
            cells[at++] = entry.getKey() / (classes + 1);
            cells[at++] = entry.getKey() % (classes + 1);
            cells[at++] = entry.getValue();
        }
        return new PixelCounts(cells);
    }
}
