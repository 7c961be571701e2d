package dev.diva.demo;

import dev.diva.eval.Interval;
import dev.diva.eval.Result;
import java.util.List;
import java.util.Locale;

/** The table of the segmentation demo: a row for each seed, and what follows from all. */
final class SegmentationWords {
    private static final String MIOU = "miou";
    private static final String CHANGE = "miou_minus_first";

    private SegmentationWords() {}

    /** @param results of each seed: before, after */
    static String table(List<Long> seeds, List<List<Result>> results) {
        StringBuilder text = new StringBuilder(
                "Mean IoU of a small SAN on the mini world's CLIP, untouched and repaired, %; changes in points; 95 % intervals"
                        + " over resampled pictures for a seed, t-interval over the seeds below.\n\n"
                        + "| seed | before | after | change |\n| --- | --- | --- | --- |\n");
        for (int i = 0; i < results.size(); i++) {
            Result before = results.get(i).get(0);
            Result after = results.get(i).get(1);
            text.append(String.format(
                    Locale.ROOT,
                    "| %d | %s | %s | %s |%n",
                    seeds.get(i),
                    value(before, MIOU, "%.1f"),
                    value(after, MIOU, "%.1f"),
                    value(after, CHANGE, "%+.1f")));
        }
        double[] changes = results.stream()
                .mapToDouble(ofSeed -> 100 * ofSeed.get(1).metrics().get(CHANGE))
                .toArray();
        text.append("\nChange over ")
                .append(changes.length)
                .append(changes.length == 1 ? " seed: " : " seeds: ")
                .append(StudyTable.change(changes))
                .append(" points.\n\n")
                .append(
                        "CLIP's table of positions was frozen, which the published recipe trains; scenes of 48 pixels with ")
                .append("labels that cost nothing. A change whose interval holds 0 shows nothing.\n");
        return text.toString();
    }

    private static String value(Result result, String metric, String format) {
        Interval interval = result.intervals().get(metric);
        String number =
                String.format(Locale.ROOT, format, 100 * result.metrics().get(metric));
        return interval == null
                ? number
                : number
                        + String.format(
                                Locale.ROOT,
                                " [" + format + ", " + format + "]",
                                100 * interval.low(),
                                100 * interval.high());
    }
}
