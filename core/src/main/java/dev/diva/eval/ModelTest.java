package dev.diva.eval;

import java.util.ArrayList;
import java.util.List;

/**
 * McNemar's exact test of a later model against the first on the same data.
 *
 * @param data the data set, and the metric when there are several
 */
public record ModelTest(String data, String first, String second, McNemar mcNemar) {
    /** A test for each metric of which both counted the same answers. */
    static List<ModelTest> between(Result first, Result second) {
        List<ModelTest> tests = new ArrayList<>();
        first.answers().forEach((metric, sheet) -> {
            String data = first.answers().size() == 1 ? first.data() : first.data() + " " + metric;
            boolean[] later = second.answers().get(metric);
            if (later != null && later.length == sheet.length) {
                tests.add(new ModelTest(data, first.model(), second.model(), McNemar.of(sheet, later)));
            }
        });
        return tests;
    }
}
