package dev.diva.compare;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.eval.suite.CellMetric;
import dev.diva.eval.suite.Suite;
import dev.diva.eval.suite.Task;
import dev.diva.report.ReportWriter;
import dev.diva.report.RunCost;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/**
 * The untouched model and every method at every metric.
 *
 * @param leading metrics that tasks are known by; the first is the one that gains are told by
 * @param untouched its scores
 */
public record Comparison(
        String untouchedModel,
        List<Scores.Metric> metrics,
        List<Scores.Metric> leading,
        Map<Scores.Metric, CellMetric> untouched,
        List<Row> rows) {
    private static final String CSV = "compare.csv";
    private static final String JSON = "compare.json";
    private static final String PAGE = "compare.html";

    /**
     * A method.
     *
     * @param figures by metric; where every cell failed there is none
     * @param gates in the order that they were given
     */
    public record Row(Contenders.Method method, Map<Scores.Metric, Figure> figures, List<Gate.Passage> gates) {
        /** Whether it loses more than a gate allows. */
        public boolean paysTooMuch() {
            return gates.stream().anyMatch(Gate.Passage::isTooMuch);
        }

        /** Whether each gate has been judged. */
        public boolean isJudged() {
            return gates.stream().noneMatch(passage -> Double.isNaN(passage.loss()));
        }

        /** What a run of it took, mean over the seeds; null for a model that no run tells of. */
        public RunCost cost() {
            return method.costs().isEmpty()
                    ? null
                    : new RunCost(
                            mean(RunCost::steps),
                            mean(RunCost::images),
                            mean(RunCost::hours),
                            mean(RunCost::peakBytes));
        }

        private double mean(ToDoubleFunction<RunCost> part) {
            return method.costs().stream().mapToDouble(part).average().orElseThrow();
        }
    }

    /** Compares. */
    public static Comparison of(Contenders contenders, Scores scores, List<Gate> gates) {
        String untouched = contenders.untouched().name();
        Map<Scores.Metric, CellMetric> before = new LinkedHashMap<>();
        scores.metrics().forEach(metric -> scores.of(metric, untouched).ifPresent(cell -> before.put(metric, cell)));
        List<Row> rows = contenders.methods().stream()
                .map(method -> row(method, scores, before, gates))
                .toList();
        return new Comparison(untouched, scores.metrics(), scores.leading(), before, rows);
    }

    /** The leading metric that gains are told by: pairs where the suite has some, else its first. */
    Scores.Metric gainMetric() {
        return leading.stream()
                .filter(metric -> metric.task().equals(Task.MMVP.recordName()))
                .findFirst()
                .orElse(leading.get(0));
    }

    /** The terminal's view. */
    public String text() {
        return ComparisonText.of(this);
    }

    /** All of it; scores and changes as fractions, losses at gates in points. */
    public ObjectNode json() {
        return ComparisonFiles.json(this);
    }

    /** Writes {@code compare.csv}, {@code compare.json} and {@code compare.html}. */
    public void write(Path folder) {
        AtomicFile.writeString(folder.resolve(CSV), ComparisonFiles.csv(this));
        AtomicFile.writeString(folder.resolve(JSON), json().toPrettyString() + "\n");
        ReportWriter.write(MethodsPageBuilder.build(this), folder.resolve(PAGE));
    }

    /**
     * Refuses to write where other files are.
     *
     * @throws BadInputException naming the file
     */
    public static void requireOurs(Path folder) {
        ReportWriter.requireOurs(folder.resolve(PAGE));
        requireStart(folder.resolve(CSV), ComparisonFiles.header());
        requireStart(folder.resolve(JSON), "{\n  \"untouched\"");
    }

    private static void requireStart(Path file, String start) {
        try {
            if (Files.exists(file)
                    && !Files.readString(file, StandardCharsets.ISO_8859_1).startsWith(start)) {
                throw new BadInputException(
                        file + ": is no file of diva compare and is not replaced; choose another --out");
            }
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e, e);
        }
    }

    private static Row row(
            Contenders.Method method, Scores scores, Map<Scores.Metric, CellMetric> before, List<Gate> gates) {
        Map<Scores.Metric, Figure> figures = new LinkedHashMap<>();
        for (Scores.Metric metric : scores.metrics()) {
            List<CellMetric> seeds = method.models().stream()
                    .map(Suite.ModelEntry::name)
                    .map(model -> scores.of(metric, model).orElse(null))
                    .filter(Objects::nonNull)
                    .toList();
            if (!seeds.isEmpty()) {
                figures.put(metric, Figure.of(before.get(metric), seeds));
            }
        }
        return new Row(
                method,
                figures,
                gates.stream().map(gate -> passage(gate, scores, figures)).toList());
    }

    /** Where two tasks of a data set have the metric, the larger loss counts. */
    private static Gate.Passage passage(Gate gate, Scores scores, Map<Scores.Metric, Figure> figures) {
        double loss = scores.metrics().stream()
                .filter(metric ->
                        metric.dataset().equals(gate.dataset()) && metric.name().equals(gate.metric()))
                .mapToDouble(metric -> figures.containsKey(metric)
                        ? 0.0 - 100 * figures.get(metric).change()
                        : Double.NaN)
                .reduce(Math::max)
                .orElse(Double.NaN);
        return new Gate.Passage(gate, loss);
    }
}
