package dev.diva.segment;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.data.PngFile;
import dev.diva.data.RasterImage;
import dev.diva.eval.Gallery;
import dev.diva.eval.segmentation.ClassCounts;
import dev.diva.eval.segmentation.PixelCounts;
import dev.diva.eval.segmentation.SegmentationRun;
import dev.diva.eval.segmentation.SegmentationSet;
import dev.diva.report.PairGallery;
import dev.diva.report.ReportWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The coloured pictures of a model on a set, a PNG each.
 *
 * @param folder where they go
 */
public record SavedPictures(SegmentationSet set, Path folder) implements SegmentationRun.Pictures {
    private static final int SHOWN = 12;

    private Path file(SegmentationSet.Pair pair) {
        return folder.resolve(pair.name() + ".png");
    }

    @Override
    public boolean wants(SegmentationSet.Pair pair) {
        return !Files.exists(file(pair));
    }

    @Override
    public void take(SegmentationSet.Pair pair, RasterImage image, int... labels) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be made: " + e.getMessage(), e);
        }
        AtomicFile.write(
                file(pair), PngFile.bytes(Overlay.draw(image, set.layout().classes(), labels)));
    }

    /**
     * Writes a page of the pictures whose mean IoU changed most: picture, truth, the first model, this one.
     *
     * @param first pictures of the model that this one is compared with
     * @param before counts of that one, in the order of the set
     * @return what is on it
     */
    public Gallery writeChanges(SavedPictures first, List<PixelCounts> before, List<PixelCounts> after, Path page) {
        int classes = set.layout().classes().size();
        double[] old = scores(before, classes);
        double[] now = scores(after, classes);
        SavedPictures truth = new SavedPictures(
                set, page.resolveSibling("truth").resolve(set.layout().name()));
        List<Gallery.Row> rows = IntStream.range(0, old.length)
                .filter(i -> Double.isFinite(now[i] - old[i]))
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -Math.abs(now[i] - old[i])))
                .limit(SHOWN)
                .map(i -> row(set.pairs().get(i), old[i], now[i], List.of(truth, first, this)))
                .toList();
        Gallery changes = new Gallery(
                "Where the labels changed most: " + set.layout().name(),
                "The picture, its truth, the first model and this one, with the mean IoU of the picture's own"
                        + " classes; the " + rows.size() + " largest changes of " + old.length + " pictures.",
                rows);
        ReportWriter.write(
                new PairGallery(
                        changes.title(),
                        changes.note(),
                        rows.stream()
                                .map(row -> PairGallery.Item.of(row.caption(), row.names(), row.images()))
                                .toList()),
                page);
        return changes;
    }

    private Gallery.Row row(SegmentationSet.Pair pair, double old, double now, List<SavedPictures> seen) {
        SavedPictures truth = seen.get(0);
        if (truth.wants(pair)) {
            RasterImage image = SegmentationSet.image(pair.image());
            truth.take(pair, image, set.labels(pair, image));
        }
        return new Gallery.Row(
                String.format(Locale.ROOT, "%s: %.1f %% before, %.1f %% after", pair.name(), 100 * old, 100 * now),
                List.of("picture", "truth", "before", "after"),
                Stream.of(
                                pair.image(),
                                truth.file(pair),
                                seen.get(1).file(pair),
                                seen.get(2).file(pair))
                        .map(Path::toString)
                        .toList());
    }

    private static double[] scores(List<PixelCounts> pictures, int classes) {
        return pictures.stream()
                .mapToDouble(
                        picture -> ClassCounts.of(List.of(picture), classes).meanIou())
                .toArray();
    }
}
