package dev.diva.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.compare.Comparison;
import dev.diva.compare.Contenders;
import dev.diva.compare.Gate;
import dev.diva.compare.Scores;
import dev.diva.eval.suite.Suite;
import dev.diva.eval.suite.SuiteRun;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code diva compare}: gain, loss and price of methods against the untouched model. */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        description =
                "Compares finished runs and other models with the untouched model on the data sets of a suite file.")
public final class CompareCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "1..*",
            converter = ModelPath.class,
            paramLabel = "RUN|MODEL",
            description =
                    "Folders of finished runs, or models. Untouched is what the first run started from; without runs"
                            + " it is the first model.")
    private List<Path> sources;

    @Option(
            names = "--format",
            converter = FormatName.class,
            description = "Layout of each MODEL: hf, open_clip, openai or diva. Default: found in it.")
    private CheckpointFormat format;

    @Mixin
    private SuiteOptions options;

    @Option(
            names = "--max-loss",
            paramLabel = "DATASET.METRIC=POINTS",
            converter = GateText.class,
            description = "Mark methods that lose more than this, in percentage points; may be given several times."
                    + " The exit code does not depend on it.")
    private List<Gate> gates = List.of();

    @Option(
            names = "--out",
            defaultValue = "compare",
            paramLabel = "DIR",
            description = "Folder of compare.csv, compare.json, compare.html and the cells. Default: ${DEFAULT-VALUE}.")
    private Path out;

    @Option(names = "--json", description = "Print the comparison as JSON.")
    private boolean json;

    /** Gates on the command line. */
    static final class GateText implements ITypeConverter<Gate> {
        @Override
        public Gate convert(String text) {
            try {
                return Gate.parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    @Override
    public Integer call() {
        List<Suite.DataEntry> datasets = Suite.readDatasets(options.suite());
        gates.forEach(gate -> gate.requireIn(datasets));
        Contenders contenders = Contenders.of(sources, format == null ? null : format.flag());
        contenders.requireTexts(datasets);
        Warnings.print(spec, contenders.notes());
        Comparison.requireOurs(out);
        SuiteRun untouched = run(contenders.models().subList(0, 1), datasets);
        Scores first = new Scores(untouched.cells());
        gates.forEach(gate -> gate.requireIn(first)); // before hours of scoring
        SuiteRun others = run(contenders.models().subList(1, contenders.models().size()), datasets);
        List<JsonNode> cells = new ArrayList<>(untouched.cells());
        cells.addAll(others.cells());
        List<SuiteRun.Failure> failures = new ArrayList<>(untouched.failures());
        failures.addAll(others.failures());
        if (cells.isEmpty()) {
            throw new BadInputException(options.suite() + ": no data set could be scored; the lines above tell why");
        }
        Comparison comparison = Comparison.of(contenders, new Scores(cells), gates);
        comparison.write(out);
        print(comparison, failures);
        return failures.isEmpty() ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private SuiteRun run(List<Suite.ModelEntry> models, List<Suite.DataEntry> datasets) {
        SuiteRun run = new SuiteRun(new Suite(models, datasets), out.resolve("cells"), options.run());
        options.run(run); // of CLIPs, which cannot be stopped between cells
        return run;
    }

    private void print(Comparison comparison, List<SuiteRun.Failure> failures) {
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            ObjectNode root = comparison.json();
            ArrayNode failed = root.putArray("failed");
            failures.forEach(failure -> failed.add(SuiteOptions.line(failure)));
            writer.println(root.toPrettyString());
        } else {
            writer.print(comparison.text());
            writer.println("\n" + out.resolve("compare.html"));
        }
        writer.flush();
    }
}
