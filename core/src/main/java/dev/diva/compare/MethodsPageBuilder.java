package dev.diva.compare;

import dev.diva.eval.McNemar;
import dev.diva.eval.suite.CellMetric;
import dev.diva.report.Interval;
import dev.diva.report.MethodsPage;
import dev.diva.report.Scatter;
import dev.diva.report.Score;
import dev.diva.report.ScoreRow;
import dev.diva.report.ScoreSection;
import dev.diva.report.Table;
import dev.diva.report.Verdict;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** Arranges a comparison as a page. */
final class MethodsPageBuilder {
    private final Comparison comparison;
    private final Scores.Metric gain;

    private MethodsPageBuilder(Comparison comparison) {
        this.comparison = comparison;
        this.gain = comparison.gainMetric();
    }

    static MethodsPage build(Comparison comparison) {
        return new MethodsPageBuilder(comparison).page();
    }

    private MethodsPage page() {
        Optional<Comparison.Row> best = comparison.rows().stream()
                .filter(row -> hasGain(row) && !row.paysTooMuch())
                .max(Comparator.comparingDouble(this::gain));
        List<Table> tables = new ArrayList<>();
        comparison.leading().forEach(metric -> tables.add(table(metric)));
        tables.add(prices());
        return new MethodsPage(
                "against " + comparison.untouchedModel(),
                best.map(row -> row.method().name() + ": " + ComparisonText.points(gain(row)) + " points of "
                                + ComparisonText.title(gain))
                        .orElse("No method is within the gates"),
                best.map(this::judgement).orElse(""),
                best.map(this::tone).orElse(Verdict.Tone.UNCLEAR),
                reading(),
                pictures(),
                scores(),
                tables);
    }

    private boolean hasGain(Comparison.Row row) {
        return row.figures().containsKey(gain) && comparison.untouched().containsKey(gain);
    }

    /** Change in the leading metric, as a fraction. */
    private double gain(Comparison.Row row) {
        return row.figures().get(gain).change();
    }

    private String judgement(Comparison.Row row) {
        long costly =
                comparison.rows().stream().filter(Comparison.Row::paysTooMuch).count();
        String gates = row.gates().isEmpty()
                ? ""
                : "; " + costly + " of " + comparison.rows().size() + " rows pay too much";
        return (isClear(row) ? "unlikely to be chance" : "not distinguishable from chance") + gates;
    }

    private Verdict.Tone tone(Comparison.Row row) {
        if (!isClear(row)) {
            return Verdict.Tone.UNCLEAR;
        }
        return gain(row) > 0 ? Verdict.Tone.GAIN : Verdict.Tone.LOSS;
    }

    /** Over several seeds their interval decides, for one the paired test. */
    private boolean isClear(Comparison.Row row) {
        Figure figure = row.figures().get(gain);
        dev.diva.eval.Interval change = figure.changeInterval();
        if (row.method().models().size() > 1) {
            return change != null && (change.low() > 0 || change.high() < 0);
        }
        return figure.tests().stream().mapToDouble(McNemar::p).anyMatch(p -> p < Verdict.LEVEL);
    }

    private List<String> reading() {
        List<String> sentences = new ArrayList<>();
        sentences.add(
                "Each method is compared with the untouched model on the same items. With one seed the interval of a"
                        + " change is a paired bootstrap over the items and p the exact McNemar test; such a run says nothing about"
                        + " other seeds. With several seeds value and change are means with Student's 95 % interval over the seeds,"
                        + " which leaves out that other items could have been asked; each seed has its own test.");
        if (comparison.rows().size() * comparison.leading().size() > 1) {
            sentences.add("There are "
                    + comparison.rows().size() * comparison.leading().size()
                    + " comparisons on this page; about one in twenty that show nothing but chance has p below 0.05.");
        }
        for (Comparison.Row row : comparison.rows()) {
            if (row.paysTooMuch() || !row.isJudged()) {
                sentences.add(row.method().name() + ": " + ComparisonText.gates(row) + ".");
            }
        }
        return sentences;
    }

    private List<Scatter> pictures() {
        List<Scatter> pictures = new ArrayList<>();
        List<Scores.Metric> others = comparison.leading().stream()
                .filter(metric -> !metric.equals(gain))
                .toList();
        List<Scatter.Mark> lost = marks(row -> others.stream()
                .filter(row.figures()::containsKey)
                .mapToDouble(metric -> 0.0 - 100 * row.figures().get(metric).change())
                .filter(loss -> !Double.isNaN(loss))
                .max()
                .orElse(Double.NaN));
        if (!lost.isEmpty()) {
            pictures.add(picture(
                    "gain-loss",
                    "Gain against what is lost elsewhere",
                    "Up is better, left is better; left of 0 every other score has gained.",
                    "largest loss in another score, points",
                    lost));
        }
        List<Scatter.Mark> hours =
                marks(row -> row.cost() == null ? Double.NaN : row.cost().hours());
        if (!hours.isEmpty()) {
            pictures.add(picture(
                    "gain-hours",
                    "Gain against hours of training",
                    "Hours of the steps of one run, on the machine that ran it.",
                    "hours",
                    hours));
        }
        return pictures;
    }

    private Scatter picture(String id, String title, String note, String across, List<Scatter.Mark> marks) {
        return new Scatter(
                id,
                title,
                note + " Bars are 95 % intervals of the gain.",
                across,
                "gain in " + ComparisonText.title(gain) + ", points",
                marks);
    }

    private List<Scatter.Mark> marks(ToDoubleFunction<Comparison.Row> price) {
        List<Scatter.Mark> marks = new ArrayList<>();
        for (int i = 0; i < comparison.rows().size(); i++) {
            Comparison.Row row = comparison.rows().get(i);
            double x = price.applyAsDouble(row);
            if (hasGain(row) && Double.isFinite(x)) {
                dev.diva.eval.Interval change = row.figures().get(gain).changeInterval();
                Interval interval = change == null ? null : new Interval(100 * change.low(), 100 * change.high());
                String name = row.method().name() + (row.paysTooMuch() ? ", pays too much" : "");
                marks.add(new Scatter.Mark(name, x, 100 * gain(row), interval, i + 1));
            }
        }
        return marks;
    }

    private ScoreSection scores() {
        List<String> columns = Stream.concat(
                        Stream.of("untouched"),
                        comparison.rows().stream().map(row -> row.method().name()))
                .toList();
        List<ScoreRow> rows = new ArrayList<>();
        for (Scores.Metric metric : comparison.leading()) {
            List<Score> scores = new ArrayList<>();
            CellMetric before = comparison.untouched().get(metric);
            scores.add(before == null ? null : score(before.value(), before.interval()));
            for (Comparison.Row row : comparison.rows()) {
                Figure figure = row.figures().get(metric);
                scores.add(figure == null ? null : score(figure.value(), figure.interval()));
            }
            rows.add(new ScoreRow(ComparisonText.title(metric), scores));
        }
        return new ScoreSection(
                "scores", "Scores", "In percent, with 95 % intervals.", columns, rows, List.of(), List.of());
    }

    private static Score score(double value, dev.diva.eval.Interval interval) {
        return new Score(value, interval == null ? null : new Interval(interval.low(), interval.high()), null, null);
    }

    private Table table(Scores.Metric metric) {
        List<List<String>> rows = new ArrayList<>();
        CellMetric before = comparison.untouched().get(metric);
        if (before != null) {
            rows.add(List.of(
                    "untouched",
                    ComparisonText.percent(before.value()),
                    ComparisonText.percents(before.interval()),
                    "",
                    "",
                    ""));
        }
        for (Comparison.Row row : comparison.rows()) {
            Figure figure = row.figures().get(metric);
            rows.add(
                    figure == null
                            ? List.of(row.method().name(), "failed", "", "", "", "")
                            : List.of(
                                    row.method().name(),
                                    ComparisonText.percent(figure.value()),
                                    ComparisonText.percents(figure.interval()),
                                    ComparisonText.points(figure.change()),
                                    ComparisonText.pointRange(figure.changeInterval()),
                                    ComparisonText.tests(figure)));
        }
        return new Table(
                ComparisonText.title(metric) + ": values in %, changes in points",
                List.of("Method", "Value", "95 %", "Change", "95 %", "Exact paired test"),
                rows);
    }

    private Table prices() {
        List<List<String>> rows = new ArrayList<>();
        for (Comparison.Row row : comparison.rows()) {
            List<String> cells = new ArrayList<>(List.of(row.method().name(), ComparisonText.seeds(row)));
            cells.addAll(ComparisonText.cost(row));
            cells.add(ComparisonText.gates(row));
            rows.add(cells);
        }
        return new Table(
                "Price of a run, mean over the seeds",
                List.of("Method", "Seeds", "Steps", "Images", "Hours", "Peak GiB", "Gates"),
                rows);
    }
}
