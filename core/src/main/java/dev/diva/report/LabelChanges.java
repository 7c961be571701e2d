package dev.diva.report;

import dev.diva.eval.Gallery;
import dev.diva.eval.segmentation.ClassCounts;
import dev.diva.eval.segmentation.PixelCounts;
import dev.diva.eval.segmentation.SegmentationSet;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.IntStream;

/** A page of the pictures of a set whose mean IoU changed most from one model to another: picture, truth, the first model, the other. */
public final class LabelChanges {
    private static final int SHOWN = 12;

    private LabelChanges() {}

    /**
     * Writes it.
     *
     * @param before counts of the first model, in the order of the set
     * @param after those of the other
     * @param files of a picture: itself, its truth, the first model's and the other's; asked for those that are shown
     * @return what is on it
     */
    public static Gallery write(
            SegmentationSet set,
            List<PixelCounts> before,
            List<PixelCounts> after,
            Function<SegmentationSet.Pair, List<Path>> files,
            Path page) {
        int classes = set.layout().classes().size();
        double[] old = scores(before, classes);
        double[] now = scores(after, classes);
        List<Gallery.Row> rows = IntStream.range(0, old.length)
                .filter(i -> Double.isFinite(now[i] - old[i]))
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -Math.abs(now[i] - old[i])))
                .limit(SHOWN)
                .map(i -> row(set.pairs().get(i), old[i], now[i], files))
                .toList();
        Gallery changes = new Gallery(
                "Where the labels changed most: " + set.layout().name(),
                "The picture, its truth, the first model and this one, with the mean IoU of the picture's own"
                        + " classes; the " + rows.size() + " largest changes of " + old.length + " pictures.",
                rows);
        List<PairGallery.Item> items = rows.stream()
                .map(row -> PairGallery.Item.of(row.caption(), row.names(), row.images()))
                .toList();
        ReportWriter.write(new PairGallery(changes.title(), changes.note(), items), page);
        return changes;
    }

    private static Gallery.Row row(
            SegmentationSet.Pair pair, double old, double now, Function<SegmentationSet.Pair, List<Path>> files) {
        return new Gallery.Row(
                String.format(Locale.ROOT, "%s: %.1f %% before, %.1f %% after", pair.name(), 100 * old, 100 * now),
                List.of("picture", "truth", "before", "after"),
                files.apply(pair).stream().map(Path::toString).toList());
    }

    private static double[] scores(List<PixelCounts> pictures, int classes) {
        return pictures.stream()
                .mapToDouble(
                        picture -> ClassCounts.of(List.of(picture), classes).meanIou())
                .toArray();
    }
}
