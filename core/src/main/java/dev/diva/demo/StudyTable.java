package dev.diva.demo;

import dev.diva.eval.Bootstrap;
import dev.diva.eval.Interval;
import dev.diva.report.RunCost;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** The tables of a study of one CLIP: mean change over the seeds in points, with the 95 % t-interval over the seeds; and by pattern. */
final class StudyTable {
    private final WorldScores.Summary before;
    private final List<Long> seeds;
    private final Map<Variant, List<Row>> after = new TreeMap<>(StudyVariants.ORDER);

    /** @param cost of the training, a first stage included */
    private record Row(long seed, WorldScores.Summary scores, RunCost cost) {}

    /**
     * A column.
     *
     * @param digits behind the point
     */
    private record Column(String title, int digits, ToDoubleFunction<WorldScores.Summary> value) {
        Column(String title, ToDoubleFunction<WorldScores.Summary> value) {
            this(title, 1, value);
        }

        double points(WorldScores.Summary scores) {
            return 100 * value.applyAsDouble(scores);
        }

        String of(WorldScores.Summary scores) {
            return String.format(Locale.ROOT, " %." + digits + "f |", points(scores));
        }

        double[] changes(WorldScores.Summary before, List<Row> after) {
            return after.stream()
                    .mapToDouble(each -> points(each.scores) - points(before))
                    .toArray();
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

    /**
     * Of one seed more.
     *
     * @param cost of its training, a first stage included
     */
    void add(Variant variant, long seed, WorldScores.Summary scores, RunCost cost) {
        after.computeIfAbsent(variant, unused -> new ArrayList<>()).add(new Row(seed, scores, cost));
    }

    /** What the columns of {@link #csv} say. */
    List<String> titles() {
        List<String> titles = new ArrayList<>(List.of("clip", "recipe", "seed"));
        columns().forEach(column -> titles.add(column.title));
        titles.addAll(List.of("seconds", "GB"));
        return titles;
    }

    /**
     * A row for each training: the values themselves in % (sig and bias x100), by pattern too, with its cost.
     *
     * @param clip what the first column says
     */
    List<List<String>> csv(String clip) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(csv(clip, "untouched", "", before, "", ""));
        after.forEach((variant, runs) -> runs.stream()
                .sorted(Comparator.comparingLong(Row::seed))
                .forEach(run -> rows.add(csv(
                        clip,
                        variant.name(),
                        Long.toString(run.seed),
                        run.scores,
                        String.format(Locale.ROOT, "%.0f", seconds(run)),
                        String.format(Locale.ROOT, "%.2f", gigabytes(run))))));
        return rows;
    }

    private List<String> csv(
            String clip, String recipe, String seed, WorldScores.Summary scores, String seconds, String gigabytes) {
        List<String> row = new ArrayList<>(List.of(clip, recipe, seed));
        columns().forEach(column -> row.add(String.format(Locale.ROOT, "%.4f", column.points(scores))));
        row.addAll(List.of(seconds, gigabytes));
        return row;
    }

    /** Those of the table, then the patterns. */
    private List<Column> columns() {
        return Stream.concat(COLUMNS.stream(), patterns()).toList();
    }

    private Stream<Column> patterns() {
        return before.patterns().keySet().stream()
                .map(pattern -> new Column(pattern, scores -> scores.patterns().get(pattern)));
    }

    /** Markdown. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(
                "Seeds " + seeds
                        + "; values in %, changes in points, 95 % t-interval over the seeds; resampled: bootstrap over seeds and pairs; seconds of training, a first stage included, and memory of the program, which trains two at once.\n\n| recipe | seeds |");
        COLUMNS.forEach(column -> text.append(' ').append(column.title).append(" |"));
        text.append(" pairs, resampled | seconds | GB |\n| --- | --- |")
                .append(" --- |".repeat(COLUMNS.size() + 3))
                .append("\n| untouched | |");
        COLUMNS.forEach(column -> text.append(column.of(before)));
        text.append(" | | |\n");
        after.forEach((variant, runs) -> {
            text.append("| ")
                    .append(variant.name())
                    .append(" | ")
                    .append(runs.size())
                    .append(" |");
            COLUMNS.forEach(column -> text.append(' ')
                    .append(changed(column.digits, column.changes(before, runs)))
                    .append(" |"));
            text.append(' ').append(resampled(runs)).append(price(runs)).append('\n');
        });
        return text.append('\n').append(byPattern()).toString();
    }

    private static double seconds(Row run) {
        return 3600 * run.cost.hours();
    }

    private static double gigabytes(Row run) {
        return run.cost.peakBytes() / 1e9;
    }

    private static String price(List<Row> runs) {
        return String.format(
                Locale.ROOT,
                " | %.0f | %.1f |",
                runs.stream().mapToDouble(StudyTable::seconds).average().orElseThrow(),
                runs.stream().mapToDouble(StudyTable::gigabytes).max().orElseThrow());
    }

    private String resampled(List<Row> runs) {
        double[][] gained = new double[runs.size()][before.right().size()];
        for (int run = 0; run < gained.length; run++) {
            List<Boolean> right = runs.get(run).scores.right();
            Arrays.setAll(
                    gained[run],
                    pair -> 100.0 * ((right.get(pair) ? 1 : 0) - (before.right().get(pair) ? 1 : 0)));
        }
        Interval interval = Bootstrap.DEFAULT.meanOfTable(gained);
        return String.format(Locale.ROOT, "[%+.1f, %+.1f]", interval.low(), interval.high());
    }

    /** Pairs by pattern. */
    private String byPattern() {
        StringBuilder text = new StringBuilder("| pairs by pattern | untouched |");
        Map<Variant, List<Row>> shown = new LinkedHashMap<>(after);
        shown.keySet().retainAll(StudyVariants.BY_PATTERN);
        shown.keySet()
                .forEach(variant -> text.append(' ').append(variant.name()).append(" |"));
        text.append("\n| --- | --- |").append(" --- |".repeat(shown.size())).append('\n');
        patterns().forEach(column -> {
            text.append("| ").append(column.title).append(" |").append(column.of(before));
            shown.values()
                    .forEach(runs -> text.append(' ')
                            .append(changed(1, column.changes(before, runs)))
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
