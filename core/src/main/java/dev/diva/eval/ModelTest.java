package dev.diva.eval;

import java.util.ArrayList;
import java.util.List;

/**
 * McNemar's exact test of a later model against the first on the same data.
 *
 * @param data the data set, and the metric when there are several
 */
public record ModelTest(String data, String first, String second, McNemar mcNemar) {
    /** A test for each metric of which both counted the same number of answers. */
    static List<ModelTest> between(Result first, Result second) {
        List<ModelTest> tests = new ArrayList<>();
        first.answers().forEach((metric, sheet) -> {
            String data = first.answers().size() == 1 ? first.data() : first.data() + " " + metric;
            if (fits(sheet, second, metric)) {
                McNemar test = McNemar.of(sheet, second.answers().get(metric));
                tests.add(new ModelTest(data, first.model(), second.model(), test));
            }
        });
        return tests;
    }

    /** Which tests there cannot be, and why. */
    static List<String> missing(Result first, Result second) {
        List<String> missing = new ArrayList<>();
        first.answers().forEach((metric, sheet) -> {
            if (!fits(sheet, second, metric)) {
                boolean[] later = second.answers().get(metric);
                missing.add(second.data() + ": " + second.model() + " is not tested against " + first.model() + " by "
                        + metric + ": " + (later == null ? "no" : later.length) + " answers against " + sheet.length);
            }
        });
        return missing;
    }

    private static boolean fits(boolean[] sheet, Result second, String metric) {
        boolean[] later = second.answers().get(metric);
        return later != null && later.length == sheet.length;
    }
}
