package dev.diva.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.clip.Clip;
import dev.diva.engine.Precision;
import dev.diva.eval.Feature;
import dev.diva.eval.mllm.Answerer;
import dev.diva.eval.mllm.Benchmark;
import dev.diva.eval.mllm.Prompts;
import dev.diva.eval.suite.Suite;
import dev.diva.eval.suite.SuiteRun;
import dev.diva.eval.suite.SuiteTable;
import dev.diva.mllm.ImageAspect;
import dev.diva.mllm.Llava;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code diva eval all}: models x data sets x tasks. */
@Command(
        name = "all",
        mixinStandardHelpOptions = true,
        description = "Scores the models of a suite file on its data sets: a JSON file a cell, scores.csv, a table.")
public final class EvalAllCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--suite", required = true, paramLabel = "FILE", description = "YAML: models and datasets.")
    private Path suite;

    @Option(
            names = "--out",
            defaultValue = "scores",
            paramLabel = "DIR",
            description = "Folder of the cells and of scores.csv. Default: ${DEFAULT-VALUE}.")
    private Path out;

    @Option(names = "--skip-existing", description = "Keep cells that are there.")
    private boolean skipExisting;

    @Option(
            names = "--precision",
            defaultValue = "fp32",
            converter = EvalModels.PrecisionName.class,
            description = "fp32 (default) or bf16.")
    private Precision precision;

    @Option(
            names = "--feature",
            defaultValue = "zero-shot",
            converter = EvalModels.FeatureName.class,
            description = "zero-shot (default), class-plus-mean-local, mean-local or backbone.")
    private Feature feature;

    @Option(names = "--json", description = "Print all cells as JSON.")
    private boolean json;

    @Override
    public Integer call() {
        SuiteRun.Options options =
                new SuiteRun.Options(Clip.Options.DEFAULT.withPrecision(precision), feature, skipExisting, this::llava);
        SuiteRun run = new SuiteRun(Suite.read(suite), out, options);
        SuiteTable.requireOurs(out.resolve("scores.csv"));
        PrintWriter err = spec.commandLine().getErr();
        try (AnswerProgress answers = new AnswerProgress(err)) {
            run.run(new Told(err, answers));
        } catch (Answerer.Stopped e) {
            err.println("stopped; the same command with --skip-existing goes on");
            return ExitCodes.RESUMABLE;
        }
        SuiteTable table = new SuiteTable(run.cells());
        AtomicFile.writeString(out.resolve("scores.csv"), table.csv());
        print(run, table);
        return run.failures().isEmpty() ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private LlavaAnswerer llava(Suite.ModelEntry entry, Prompts prompts) {
        LlavaAnswerer.Asking asking =
                new LlavaAnswerer.Asking(MllmModels.template(prompts), ImageAspect.PAD, Integer.MAX_VALUE);
        return new LlavaAnswerer(
                entry.name(), entry.path(), new Llava.Options(precision, 0, entry.tower(), null), asking);
    }

    private record Told(PrintWriter err, AnswerProgress answers) implements SuiteRun.Listener {
        @Override
        public void done(Path file, boolean computed) {
            line((computed ? "scored " : "kept ") + file);
        }

        @Override
        public void failed(SuiteRun.Failure failure) {
            answers.close();
            line("failed " + told(failure));
        }

        @Override
        public void answered(String model, Benchmark benchmark, int answered, int questions) {
            answers.answered(model, benchmark, answered, questions);
        }

        @Override
        public void wrote(Path file) {
            answers.wrote(file);
        }

        @Override
        public void note(String text) {
            answers.note(text);
        }

        private void line(String text) {
            err.println(text);
            err.flush();
        }
    }

    private static String told(SuiteRun.Failure failure) {
        return failure.model() + " on " + failure.dataset() + ", "
                + failure.task().recordName() + ": "
                + Failure.line(failure.cause());
    }

    private void print(SuiteRun run, SuiteTable table) {
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            ObjectNode root = new ObjectMapper().createObjectNode();
            ArrayNode cells = root.putArray("cells");
            run.cells().forEach(cells::add);
            ArrayNode failed = root.putArray("failed");
            run.failures().forEach(failure -> failed.add(told(failure)));
            writer.println(root.toPrettyString());
        } else {
            writer.print(table.text());
        }
        writer.flush();
    }
}
