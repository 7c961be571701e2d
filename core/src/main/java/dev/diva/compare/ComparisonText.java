package dev.diva.compare;

import dev.diva.eval.Interval;
import dev.diva.eval.McNemar;
import dev.diva.eval.suite.CellMetric;
import dev.diva.report.RunCost;
import dev.diva.report.Verdict;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The words and figures of a comparison, as the terminal and the page show them. */
final class ComparisonText {
    static final String NO_FIGURE = "-";

    private final Comparison comparison;
    private final int nameWidth;

    private ComparisonText(Comparison comparison) {
        this.comparison = comparison;
        this.nameWidth = Stream.concat(
                        comparison.leading().stream().map(ComparisonText::title),
                        comparison.rows().stream().map(row -> row.method().name()))
                .mapToInt(String::length)
                .max()
                .orElseThrow();
    }

    /** A block for each leading metric, one for the price, and one for the gates. */
    static String of(Comparison comparison) {
        return new ComparisonText(comparison).text();
    }

    private String text() {
        StringBuilder text = new StringBuilder("Against the untouched " + comparison.untouchedModel()
                + ". Values in %, changes in points, 95 % intervals in brackets.\n");
        for (Scores.Metric metric : comparison.leading()) {
            text.append('\n').append(line(title(metric), "value", "", "change", "", "exact paired test"));
            CellMetric before = comparison.untouched().get(metric);
            text.append(line(
                    "untouched",
                    before == null ? NO_FIGURE : percent(before.value()),
                    before == null ? "" : percents(before.interval()),
                    "",
                    "",
                    ""));
            comparison.rows().forEach(row -> text.append(line(row, row.figures().get(metric))));
        }
        text.append('\n').append(costLine("price of a run", "seeds", "steps", "images", "hours", "GiB", "gates"));
        comparison.rows().forEach(row -> {
            List<String> cost = cost(row);
            text.append(costLine(
                    row.method().name(), seeds(row), cost.get(0), cost.get(1), cost.get(2), cost.get(3), gates(row)));
        });
        return text.toString();
    }

    private String line(Comparison.Row row, Figure figure) {
        return figure == null
                ? line(row.method().name(), "failed", "", "", "", "")
                : line(
                        row.method().name(),
                        percent(figure.value()),
                        percents(figure.interval()),
                        points(figure.change()),
                        pointRange(figure.changeInterval()),
                        tests(figure));
    }

    private String line(String name, String value, String interval, String change, String range, String tests) {
        return String.format(
                                Locale.ROOT,
                                "%-" + nameWidth + "s %7s %-14s %7s %-16s %s",
                                name,
                                value,
                                interval,
                                change,
                                range,
                                tests)
                        .stripTrailing()
                + "\n";
    }

    private String costLine(String... cells) {
        return String.format(Locale.ROOT, "%-" + nameWidth + "s %5s %9s %11s %9s %7s   %s", (Object[]) cells)
                        .stripTrailing()
                + "\n";
    }

    /** Data set and metric. */
    static String title(Scores.Metric metric) {
        return metric.dataset() + " " + metric.name() + (metric.task().equals("linear_probe") ? ", probe" : "");
    }

    static String percent(double fraction) {
        return String.format(Locale.ROOT, "%.1f", 100 * fraction);
    }

    static String percents(Interval interval) {
        return interval == null ? "" : "[" + percent(interval.low()) + ", " + percent(interval.high()) + "]";
    }

    static String points(double change) {
        return Double.isNaN(change) ? NO_FIGURE : String.format(Locale.ROOT, "%+.1f", 100 * change);
    }

    static String pointRange(Interval interval) {
        return interval == null ? "" : "[" + points(interval.low()) + ", " + points(interval.high()) + "]";
    }

    /** Items gained and lost with p, seed by seed. */
    static String tests(Figure figure) {
        return figure.tests().stream().map(ComparisonText::test).collect(Collectors.joining("; "));
    }

    private static String test(McNemar test) {
        return "+" + test.gained() + " -" + test.lost() + ", " + Verdict.pValue(test.p());
    }

    static String seeds(Comparison.Row row) {
        int count = row.method().seeds().size();
        return count == 0 ? NO_FIGURE : Integer.toString(count);
    }

    /** Steps, images, hours, peak memory in GiB. */
    static List<String> cost(Comparison.Row row) {
        RunCost cost = row.cost();
        return cost == null
                ? List.of(NO_FIGURE, NO_FIGURE, NO_FIGURE, NO_FIGURE)
                : List.of(
                        String.format(Locale.ROOT, "%.0f", cost.steps()),
                        String.format(Locale.ROOT, "%.0f", cost.images()),
                        String.format(Locale.ROOT, "%.3g", cost.hours()),
                        String.format(Locale.ROOT, "%.1f", cost.peakBytes() / (1L << 30)));
    }

    /** What the gates say; empty without gates. */
    static String gates(Comparison.Row row) {
        if (row.gates().isEmpty()) {
            return "";
        }
        if (row.paysTooMuch()) {
            return "pays too much: "
                    + row.gates().stream()
                            .filter(Gate.Passage::isTooMuch)
                            .map(ComparisonText::passage)
                            .collect(Collectors.joining("; "));
        }
        return row.isJudged() ? "within" : "not judged: a score is missing";
    }

    private static String passage(Gate.Passage passage) {
        return String.format(
                Locale.ROOT,
                "%s.%s -%.1f (at most -%.1f)",
                passage.gate().dataset(),
                passage.gate().metric(),
                passage.loss(),
                passage.gate().maxLoss());
    }
}
