package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.report.ReportWriter;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code diva report}: the page of one or several runs or evaluations. Prints the path of what it wrote. */
@Command(
        name = "report",
        description = "Makes one self-contained HTML page from run folders and evaluation JSON files.",
        mixinStandardHelpOptions = true)
public final class ReportCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "1..*",
            paramLabel = "RUN",
            description = "run folder, or JSON of diva eval; the first is what the others are compared with")
    private List<Path> runs;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "page to write; default RUN/report.html for one run folder, else report.html")
    private Path target;

    @Option(names = "--json", description = "print the result as JSON")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        Path page = target != null ? target : defaultPage();
        ReportWriter.write(runs, page);
        PrintWriter out = spec.commandLine().getOut();
        out.println(json ? new ObjectMapper().writeValueAsString(Map.of("report", page.toString())) : page);
        out.flush();
        return 0;
    }

    private Path defaultPage() {
        boolean oneRun = runs.size() == 1 && Files.isDirectory(runs.get(0));
        return oneRun ? runs.get(0).resolve("report.html") : Path.of("report.html");
    }
}
