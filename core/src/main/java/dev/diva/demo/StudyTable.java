package dev.diva.demo;

import dev.diva.eval.Interval;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** The table of a study: mean change over the seeds in points, with the 95 % t-interval over the seeds. */
final class StudyTable {
    private final WorldScores.Summary before;
    private final List<Long> seeds;

    /**
     * A column.
     *
     * @param digits behind the point
     */
    private record Column(String title, int digits, ToDoubleFunction<WorldScores.Summary> value) {
        Column(String title, ToDoubleFunction<WorldScores.Summary> value) {
            this(title, 1, value);
        }

        String of(WorldScores.Summary scores) {
            return String.format(Locale.ROOT, " %." + digits + "f |", 100 * value.applyAsDouble(scores));
        }
    }

    private static final List<Column> COLUMNS = List.of(
            new Column("pairs", WorldScores.Summary::pairs),
            new Column("pairs in order", WorldScores.Summary::ordered),
            new Column("sig, x100", 2, WorldScores.Summary::sig),
            new Column("bias, x100", 2, WorldScores.Summary::bias),
            new Column("pairs, class + mean", WorldScores.Summary::publishedPairs),
            new Column("probe, class token", WorldScores.Summary::probeClass),
            new Column("probe, mean of local", WorldScores.Summary::probeMean),
            new Column("gist retrieval", WorldScores.Summary::gist));

    StudyTable(WorldScores.Summary before, List<Long> seeds) {
        this.before = before;
        this.seeds = seeds;
    }

    /** Markdown. */
    String of(Map<Variant, List<WorldScores.Summary>> after) {
        StringBuilder text = new StringBuilder("Seeds " + seeds
                + "; values in %, changes in points, 95 % t-interval over the" + " seeds.\n\n| recipe |");
        COLUMNS.forEach(column -> text.append(' ').append(column.title).append(" |"));
        text.append("\n| --- |").append(" --- |".repeat(COLUMNS.size())).append("\n| untouched |");
        COLUMNS.forEach(column -> text.append(column.of(before)));
        text.append('\n');
        after.forEach((variant, summaries) -> {
            text.append("| ").append(variant.name()).append(" |");
            COLUMNS.forEach(column -> text.append(' ')
                    .append(changed(
                            column.digits,
                            summaries.stream()
                                    .mapToDouble(summary -> 100
                                            * (column.value.applyAsDouble(summary)
                                                    - column.value.applyAsDouble(before)))
                                    .toArray()))
                    .append(" |"));
            text.append('\n');
        });
        return text.toString();
    }

    /** "+1.2 [-0.4, 2.8]"; without an interval for a single value. */
    static String change(double... points) {
        return changed(1, points);
    }

    private static String changed(int digits, double... points) {
        double mean = Arrays.stream(points).average().orElseThrow();
        String form = "%+." + digits + "f";
        if (points.length < 2) {
            return String.format(Locale.ROOT, form, mean);
        }
        Interval interval = Interval.ofMean(points);
        return String.format(
                Locale.ROOT, form + " [" + form + ", " + form + "]", mean, interval.low(), interval.high());
    }
}
