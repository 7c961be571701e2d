package dev.diva.eval.segmentation;

import dev.diva.BadInputException;
import dev.diva.eval.Bootstrap;
import dev.diva.eval.Interval;
import dev.diva.eval.Result;
import dev.diva.eval.Scores;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** Scores of a model on a set, with intervals over resampled pictures. */
public final class SegmentationScores {
    private static final Map<String, ToDoubleFunction<ClassCounts>> METRICS = metrics();

    private SegmentationScores() {}

    private static Map<String, ToDoubleFunction<ClassCounts>> metrics() {
        Map<String, ToDoubleFunction<ClassCounts>> metrics = new LinkedHashMap<>();
        metrics.put("miou", ClassCounts::meanIou);
        metrics.put("miou_detectron2_v0.6", ClassCounts::meanIouOfV06);
        metrics.put("frequency_weighted_iou", ClassCounts::frequencyWeightedIou);
        metrics.put("mean_class_accuracy", ClassCounts::meanAccuracy);
        metrics.put("pixel_accuracy", ClassCounts::pixelAccuracy);
        return metrics;
    }

    /**
     * Scores a model.
     *
     * @param pictures of the whole set, in its order
     * @param first of the model that this one is compared with, in the same order, or null
     * @throws BadInputException when no pixel has a truth
     */
    public static Result result(
            String model, SegmentationSet set, List<PixelCounts> pictures, List<PixelCounts> first) {
        int classes = set.layout().classes().size();
        ClassCounts all = ClassCounts.of(pictures, classes);
        if (Double.isNaN(all.meanIou())) {
            throw new BadInputException(set.layout().name() + ": every pixel of " + pictures.size()
                    + " label maps is ignored; there is nothing to score");
        }
        Scores scores = new Scores();
        METRICS.forEach((name, metric) -> scores.put(
                name,
                metric.applyAsDouble(all),
                Bootstrap.DEFAULT.interval(
                        pictures.size(), rows -> metric.applyAsDouble(ClassCounts.of(pictures, classes, rows)))));
        if (first != null) {
            Interval interval = Bootstrap.DEFAULT.interval(
                    pictures.size(),
                    rows -> ClassCounts.of(pictures, classes, rows).meanIou()
                            - ClassCounts.of(first, classes, rows).meanIou());
            scores.put(
                    "miou_minus_first",
                    all.meanIou() - ClassCounts.of(first, classes).meanIou(),
                    interval);
        }
        return scores.result(model, set.layout().name(), warnings(set, all));
    }

    private static List<String> warnings(SegmentationSet set, ClassCounts all) {
        List<String> warnings = new ArrayList<>(set.warnings());
        long absent = 0;
        for (long pixels : all.truth()) {
            absent += pixels == 0 ? 1 : 0;
        }
        if (absent > 0) {
            warnings.add(
                    set.layout().name() + ": " + absent + " of " + all.truth().length
                            + " classes have no pixel in these pictures, so that the two mean IoUs differ; compare like with like");
        }
        return warnings;
    }

    /** A row for each class: name, IoU, accuracy (empty without truth), pixels true, predicted and both. */
    public static String csv(Layout layout, List<PixelCounts> pictures) {
        ClassCounts counts = ClassCounts.of(pictures, layout.classes().size());
        StringWriter text = new StringWriter();
        try (CSVPrinter csv = new CSVPrinter(text, CSVFormat.RFC4180)) {
            csv.printRecord("class", "name", "iou", "accuracy", "true_pixels", "predicted_pixels", "hits");
            for (int c = 0; c < layout.classes().size(); c++) {
                csv.printRecord(
                        c,
                        layout.classes().get(c),
                        fraction(counts.iou(c)),
                        fraction(counts.accuracy(c)),
                        counts.truth()[c],
                        counts.predicted()[c],
                        counts.hits()[c]);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    private static String fraction(double value) {
        return Double.isNaN(value) ? "" : Double.toString(value);
    }
}
