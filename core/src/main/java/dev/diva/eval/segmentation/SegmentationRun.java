package dev.diva.eval.segmentation;

import dev.diva.BadInputException;
import dev.diva.data.RasterImage;
import java.util.ArrayList;
import java.util.List;

/** Has a model name the pixels of a set; what a record holds already is not asked for again. */
public final class SegmentationRun {
    private SegmentationRun() {}

    /** Is told of every picture. */
    public interface Listener {
        /** So many of all are done. */
        void done(int count, int all);
    }

    /**
     * Counts every picture of the set.
     *
     * @param record of this model and set
     * @throws BadInputException naming the file that cannot be scored; what was done before is kept
     */
    public static List<PixelCounts> counts(
            SegmentationSet set, SegmentationRecord record, Segmenter model, Listener listener) {
        List<PixelCounts> counts = new ArrayList<>();
        for (SegmentationSet.Pair pair : set.pairs()) {
            PixelCounts known = record.of(pair.name());
            if (known == null) {
                known = counted(set, pair, model);
                record.add(pair.name(), known);
            }
            counts.add(known);
            listener.done(counts.size(), set.pairs().size());
        }
        return counts;
    }

    private static PixelCounts counted(SegmentationSet set, SegmentationSet.Pair pair, Segmenter model) {
        RasterImage image = SegmentationSet.image(pair.image());
        int[] truth = set.labels(pair, image);
        try {
            return PixelCounts.of(
                    model.labels(image), truth, set.layout().classes().size());
        } catch (BadInputException e) {
            throw new BadInputException(pair.image() + ": " + e.getMessage(), e);
        }
    }
}
