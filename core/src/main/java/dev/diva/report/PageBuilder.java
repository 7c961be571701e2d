package dev.diva.report;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Arranges the records of runs and evaluations as the sections of the page. Sections without data are not made. */
final class PageBuilder {
    private static final Map<String, String> TASKS = Map.of(
            "zeroshot", "Zero-shot classification",
            "retrieval", "Retrieval",
            "probe", "Linear probe",
            "linear_probe", "Linear probe",
            "mllm", "Inside a multimodal model");
    private static final Map<String, String> METRICS = Map.of(
            "acc1", "top-1 accuracy",
            "acc5", "top-5 accuracy",
            "average", "Average of patterns",
            "pairs", "pairs",
            "in order", "pairs whose images are in order, whatever both statements prefer",
            "sig", "sig, x100: what the statements tell apart",
            "bias", "bias, x100: what both prefer alike; a pair is right where sig is larger",
            "questions", "questions",
            "perception", "perception, share of 2000 points",
            "cognition", "cognition, share of 800 points");

    private PageBuilder() {}

    static ReportPage build(List<RunFolder> runs) {
        List<Comparison> comparisons = Comparison.of(evaluations(runs));
        List<PairSection> pairs = new ArrayList<>();
        Map<List<String>, List<Comparison>> others = new LinkedHashMap<>();
        for (Comparison comparison : comparisons) {
            if (comparison.models().stream()
                    .anyMatch(result ->
                            result.pairs() != null || !result.patterns().isEmpty())) {
                pairs.add(pairSection(comparison, pairs.size() + 1));
            } else {
                List<String> key = new ArrayList<>(columns(comparison));
                key.add(0, comparison.task());
                others.computeIfAbsent(key, unused -> new ArrayList<>()).add(comparison);
            }
        }
        List<ScoreSection> scores = new ArrayList<>();
        others.values().forEach(group -> scores.add(scoreSection(group, "scores-" + (scores.size() + 1))));
        Verdict headline = pairs.stream()
                .map(PairSection::verdict)
                .findFirst()
                .orElse(new Verdict(
                        scores.isEmpty() ? "Training record" : "Scores with intervals", Verdict.Tone.UNCLEAR));
        List<RunSection> sections = runs.stream()
                .filter(run -> !run.name().isEmpty())
                .map(run -> new RunSection(
                        run.name(),
                        run.curves(),
                        run.loss().orElse(null),
                        run.recipe(),
                        run.manifest(),
                        run.data(),
                        run.reconstructions(),
                        run.heatMaps(),
                        run.objective().painted()))
                .toList();
        List<String> reading = new ArrayList<>();
        runs.forEach(run -> reading.addAll(run.notes()));
        reading.addAll(Reading.of(comparisons, scores));
        return new ReportPage(
                title(runs),
                headline.words(),
                headline.tone(),
                tiles(comparisons, scores, sections),
                reading,
                pairs,
                scores,
                sections);
    }

    /** Results of several runs carry the run's name, so that two "After" are told apart; one that all of them have stands once. */
    private static List<Evaluation> evaluations(List<RunFolder> runs) {
        Map<Result, Long> runsOf = runs.stream()
                .flatMap(run -> run.evaluations().stream().flatMap(each -> each.results().stream()))
                .collect(Collectors.groupingBy(result -> result, Collectors.counting()));
        Set<Result> shared = new HashSet<>();
        List<Evaluation> all = new ArrayList<>();
        for (RunFolder run : runs) {
            for (Evaluation evaluation : run.evaluations()) {
                boolean named = runs.size() > 1 && !run.name().isEmpty();
                List<Result> results = evaluation.results().stream()
                        .filter(result -> runsOf.get(result) == 1 || shared.add(result))
                        .map(result -> named && runsOf.get(result) == 1
                                ? result.withLabel(run.name() + ", " + result.label())
                                : result)
                        .toList();
                all.add(new Evaluation(results, evaluation.tests()));
            }
        }
        return all;
    }

    private static String title(List<RunFolder> runs) {
        List<String> names = runs.stream()
                .map(RunFolder::name)
                .filter(name -> !name.isEmpty())
                .toList();
        return names.isEmpty() ? "Evaluation" : String.join(", ", names);
    }

    private static PairSection pairSection(Comparison comparison, int number) {
        List<ScoreRow> rows = new ArrayList<>();
        if (comparison.models().stream().anyMatch(result -> result.pairs() != null)) {
            rows.add(new ScoreRow(
                    "All pairs", comparison.models().stream().map(Result::pairs).toList()));
        }
        rows.addAll(comparison.patternRows());
        rows.addAll(comparison.metricRows(PageBuilder::metric));
        ScoreSection scores = new ScoreSection(
                "pairs-" + number,
                "Pairs by visual pattern",
                "A pair counts when both its "
                        + (comparison.task().equals("mllm")
                                ? "questions are answered right"
                                : "statements pick their own image")
                        + "; chance is 25 %. Intervals are 95 %.",
                columns(comparison),
                rows,
                List.of(),
                List.of());
        List<Flip> flips = comparison.paired() ? Flip.of(comparison) : List.of();
        return new PairSection(shortName(comparison.data()), verdict(comparison), comparison.test(), scores, flips);
    }

    private static Verdict verdict(Comparison comparison) {
        Score before = comparison.first().pairs();
        Score after = comparison.last().pairs();
        if (after == null || before == null) {
            return new Verdict("Scores by visual pattern", Verdict.Tone.UNCLEAR);
        }
        if (!comparison.paired()) {
            return new Verdict(
                    after.correct() + " of " + after.total() + " pairs, " + Numbers.percent(after.value()) + " %",
                    Verdict.Tone.UNCLEAR);
        }
        return Verdict.ofPairs(before, after, comparison.test());
    }

    private static ScoreSection scoreSection(List<Comparison> group, String id) {
        List<ScoreRow> rows = new ArrayList<>();
        for (Comparison comparison : group) {
            String data = shortName(comparison.data());
            rows.addAll(
                    comparison.metricRows(name -> capital(data.isEmpty() ? metric(name) : data + ", " + metric(name))));
        }
        String task = group.get(0).task();
        String title = TASKS.getOrDefault(task, task.isEmpty() ? "Scores" : capital(task.replace('_', ' ')));
        return new ScoreSection(
                id,
                title,
                "In percent, with 95 % intervals.",
                columns(group.get(0)),
                rows,
                tests(group),
                galleries(group));
    }

    private static List<PairGallery> galleries(List<Comparison> group) {
        return group.stream()
                .flatMap(comparison -> comparison.models().stream())
                .filter(result -> result.gallery() != null)
                .map(result -> result.gallery().of(result.label()))
                .toList();
    }

    /** The exact tests of the answers, where one call of diva eval saw both models. */
    private static List<PairedTest> tests(List<Comparison> group) {
        return group.stream()
                .filter(Comparison::paired)
                .flatMap(comparison -> comparison.tests().stream())
                .map(test -> test.named(capital(testName(test.data()))))
                .toList();
    }

    /** A test of one of several metrics has the metric behind the data set. */
    private static String testName(String data) {
        int space = data.lastIndexOf(' ');
        String metric = space < 0 ? "" : data.substring(space + 1);
        boolean named = metric.contains("@") || METRICS.containsKey(metric);
        return named ? shortName(data.substring(0, space)) + ", " + metric(metric) : shortName(data);
    }

    private static List<String> columns(Comparison comparison) {
        return comparison.models().stream().map(Result::label).toList();
    }

    private static List<Tile> tiles(List<Comparison> comparisons, List<ScoreSection> scores, List<RunSection> runs) {
        List<Tile> tiles = new ArrayList<>();
        comparisons.stream()
                .filter(comparison -> comparison.paired() && comparison.first().pairs() != null)
                .filter(comparison -> comparison.last().pairs() != null)
                .findFirst()
                .ifPresent(comparison -> tiles.add(pairTile(comparison)));
        scores.stream()
                .flatMap(section -> section.rows().stream())
                .filter(row -> !Double.isNaN(row.change()))
                .min(Comparator.comparingDouble(ScoreRow::change))
                .ifPresent(row -> tiles.add(new Tile(
                        tiles.isEmpty() ? "Lowest change" : "Lowest change elsewhere",
                        Numbers.points(row.change()) + " points",
                        row.label())));
        if (runs.size() == 1) {
            runs.get(0).curves().forEach(curve -> curveTile(curve, runs.get(0).loss(), tiles));
        }
        return tiles;
    }

    private static Tile pairTile(Comparison comparison) {
        Score before = comparison.first().pairs();
        Score after = comparison.last().pairs();
        return new Tile(
                "Pairs, " + comparison.first().label().toLowerCase(Locale.ROOT) + " and "
                        + comparison.last().label().toLowerCase(Locale.ROOT),
                Numbers.percent(before.value()) + " \u2192 " + Numbers.percent(after.value()) + " %",
                before.correct() + " and " + after.correct() + " of " + after.total());
    }

    private static void curveTile(Curve curve, LossChange loss, List<Tile> tiles) {
        switch (curve.name()) {
            case "loss" ->
                tiles.add(new Tile(
                        curve.title(),
                        Numbers.brief(loss.first()) + " \u2192 " + Numbers.brief(loss.last()),
                        loss.steps()));
            case "imagesPerSecond" ->
                tiles.add(new Tile("Throughput", Numbers.brief(curve.mean()) + " images/s", "mean over the run"));
            case "rssBytes" -> tiles.add(new Tile("Memory", Numbers.brief(curve.largest()) + " GiB", "peak"));
            default -> {}
        }
    }

    private static String metric(String name) {
        return METRICS.getOrDefault(name, name.replace("_retrieval", "").replace('_', ' '));
    }

    private static String shortName(String data) {
        Path last = Path.of(data).getFileName();
        return last == null ? data : last.toString();
    }

    private static String capital(String text) {
        return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    }
}
