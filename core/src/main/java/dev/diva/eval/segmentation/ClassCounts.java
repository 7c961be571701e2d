package dev.diva.eval.segmentation;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Pixels of each class over pictures, and the scores of detectron2 that follow from them, as fractions. Pixels whose truth is ignored
 * count nowhere, whatever was predicted. A class without truth has neither IoU nor accuracy (NaN).
 *
 * @param hits predicted and true
 * @param truth true
 * @param predicted predicted where the truth is not ignored
 */
public record ClassCounts(long[] hits, long[] truth, long[] predicted) {
    /** Of pictures, some of which may count several times. */
    static ClassCounts of(List<PixelCounts> pictures, int classes, int... rows) {
        ClassCounts counts = new ClassCounts(new long[classes], new long[classes], new long[classes]);
        for (int row : rows) {
            counts.add(pictures.get(row).cells());
        }
        return counts;
    }

    /** Of all pictures, once. */
    public static ClassCounts of(List<PixelCounts> pictures, int classes) {
        return of(pictures, classes, IntStream.range(0, pictures.size()).toArray());
    }

    private void add(int... cells) {
        for (int i = 0; i < cells.length; i += 3) {
            int said = cells[i];
            int is = cells[i + 1];
            if (is < truth.length) {
                predicted[said] += cells[i + 2];
                truth[is] += cells[i + 2];
                hits[is] += said == is ? cells[i + 2] : 0;
            }
        }
    }

    /** hits / (truth + predicted - hits). */
    public double iou(int c) {
        return truth[c] == 0 ? Double.NaN : (double) hits[c] / (truth[c] + predicted[c] - hits[c]);
    }

    /** hits / truth. */
    public double accuracy(int c) {
        return truth[c] == 0 ? Double.NaN : (double) hits[c] / truth[c];
    }

    /** Mean IoU over the classes with truth: detectron2 since July 2022. NaN without any. */
    public double meanIou() {
        return present().mapToDouble(this::iou).average().orElse(Double.NaN);
    }

    /** The same sum over the number of classes with truth or predictions: detectron2's tag v0.6, and the tables of most papers. */
    public double meanIouOfV06() {
        long seen = classes().filter(c -> truth[c] + predicted[c] > 0).count();
        return seen == 0 ? Double.NaN : present().mapToDouble(this::iou).sum() / seen;
    }

    /** IoU weighted by the pixels of each class. */
    public double frequencyWeightedIou() {
        return present().mapToDouble(c -> iou(c) * truth[c]).sum() / pixels();
    }

    /** Mean accuracy over the classes with truth. */
    public double meanAccuracy() {
        return present().mapToDouble(this::accuracy).average().orElse(Double.NaN);
    }

    /** Share of all pixels that are right. */
    public double pixelAccuracy() {
        return classes().mapToLong(c -> hits[c]).sum() / pixels();
    }

    private double pixels() {
        return classes().mapToLong(c -> truth[c]).sum();
    }

    private IntStream present() {
        return classes().filter(c -> truth[c] > 0);
    }

    private IntStream classes() {
        return IntStream.range(0, truth.length);
    }
}
