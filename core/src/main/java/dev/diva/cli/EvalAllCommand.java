package dev.diva.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.eval.suite.Suite;
import dev.diva.eval.suite.SuiteRun;
import dev.diva.eval.suite.SuiteTable;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
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

    @Mixin
    private SuiteOptions options;

    @Option(
            names = "--out",
            defaultValue = "scores",
            paramLabel = "DIR",
            description = "Folder of the cells and of scores.csv. Default: ${DEFAULT-VALUE}.")
    private Path out;

    @Option(names = "--json", description = "Print all cells as JSON.")
    private boolean json;

    @Override
    public Integer call() {
        SuiteRun run = new SuiteRun(Suite.read(options.suite()), out, options.run());
        SuiteTable.requireOurs(out.resolve("scores.csv"));
        if (!options.run(run)) {
            return ExitCodes.RESUMABLE;
        }
        SuiteTable table = new SuiteTable(run.cells());
        AtomicFile.writeString(out.resolve("scores.csv"), table.csv());
        print(run, table);
        return run.failures().isEmpty() ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private void print(SuiteRun run, SuiteTable table) {
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            ObjectNode root = new ObjectMapper().createObjectNode();
            ArrayNode cells = root.putArray("cells");
            run.cells().forEach(cells::add);
            ArrayNode failed = root.putArray("failed");
            run.failures().forEach(failure -> failed.add(SuiteOptions.line(failure)));
            writer.println(root.toPrettyString());
        } else {
            writer.print(table.text());
        }
        writer.flush();
    }
}
