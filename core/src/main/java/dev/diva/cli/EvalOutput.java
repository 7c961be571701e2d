package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.eval.Evaluation;
import dev.diva.eval.Interval;
import dev.diva.eval.ModelTest;
import dev.diva.eval.PairScore;
import dev.diva.eval.Result;
import dev.diva.eval.suite.SuiteTable;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Prints what a command of {@code diva eval} found: scores with their warnings; these on standard error too. */
final class EvalOutput {
    private static final int WARNINGS = 10;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Option(names = "--csv", paramLabel = "FILE", description = "Write a table too: a row a model and data set.")
    private Path csv;

    EvalOutput() {}

    /** For a command that has the option itself. */
    EvalOutput(boolean json) {
        this.json = json;
    }

    /**
     * Makes sure, before the work, that the table can be written.
     *
     * @throws dev.diva.BadInputException when there is a file of its name
     */
    void requireNew() {
        if (csv != null) {
            AtomicFile.requireNew(csv, "--csv");
        }
    }

    void print(CommandLine command, Evaluation evaluation) throws JsonProcessingException {
        print(command, evaluation, Map.of());
    }

    /** @param settings how it was computed, by name: part of the JSON */
    void print(CommandLine command, Evaluation evaluation, Map<String, String> settings)
            throws JsonProcessingException {
        PrintWriter err = command.getErr();
        Set<String> warnings = new LinkedHashSet<>();
        evaluation.results().forEach(result -> warnings.addAll(result.warnings()));
        warnings.forEach(warning -> err.println("warning: " + warning));
        err.flush();
        PrintWriter out = command.getOut();
        if (json) {
            ObjectNode record = evaluation.toJson();
            settings.forEach(record::put);
            out.println(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(record));
        } else {
            evaluation.results().forEach(result -> print(result, out));
            evaluation.tests().forEach(test -> print(test, out));
        }
        out.flush();
        if (csv != null) {
            AtomicFile.writeNew(csv, table(evaluation).getBytes(StandardCharsets.UTF_8));
        }
    }

    private static String table(Evaluation evaluation) {
        List<JsonNode> rows = new ArrayList<>();
        for (JsonNode result : evaluation.toJson().path("results")) {
            ObjectNode row = ((ObjectNode) result).put("task", evaluation.task());
            row.set("dataset", row.path("data"));
            rows.add(row);
        }
        return new SuiteTable(rows).csv();
    }

    private static void print(Result result, PrintWriter out) {
        out.println(result.model() + " on " + result.data());
        PairScore total = result.pairs() == null ? null : result.pairs().total();
        if (result.pairs() != null) {
            result.pairs()
                    .patterns()
                    .forEach((name, score) -> row(out, name, score.fraction(), score.interval(), score));
        }
        result.metrics().forEach((name, value) -> {
            Interval interval = result.intervals().get(name);
            if (result.fullMarks().containsKey(name)) {
                points(out, name, result, interval);
            } else {
                boolean counts = name.equals("average") || name.equals("pairs");
                row(out, name, value, interval, counts ? total : null);
            }
        });
        List<String> warnings = result.warnings();
        warnings.stream().limit(WARNINGS).forEach(warning -> out.println("  warning: " + warning));
        if (warnings.size() > WARNINGS) {
            out.println("  and " + (warnings.size() - WARNINGS) + " more warnings, on standard error and in --json");
        }
    }

    private static void points(PrintWriter out, String name, Result result, Interval interval) {
        int full = result.fullMarks().get(name);
        out.printf(
                Locale.ROOT,
                "  %-36s %8.2f  [%.2f, %.2f]  of %d%n",
                name,
                result.points(name),
                full * interval.low(),
                full * interval.high(),
                full);
    }

    private static void row(PrintWriter out, String name, double value, Interval interval, PairScore pairs) {
        out.printf(
                Locale.ROOT,
                "  %-36s %6.2f %%%s%s%n",
                name,
                100 * value,
                interval == null
                        ? ""
                        : String.format(Locale.ROOT, "  [%.2f, %.2f]", 100 * interval.low(), 100 * interval.high()),
                pairs == null ? "" : "  " + pairs.pairsCorrect() + " of " + pairs.pairs() + " pairs");
    }

    private static void print(ModelTest test, PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "%s: %s against %s: gained %d, lost %d, exact McNemar p = %.3g%n",
                test.data(),
                test.second(),
                test.first(),
                test.mcNemar().gained(),
                test.mcNemar().lost(),
                test.mcNemar().p());
    }
}
