package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.posttrain.run.RunReconstructions;
import dev.diva.report.ReportWriter;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
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

    @Option(
            names = "--diffusion",
            paramLabel = "DIR",
            description =
                    "diffusion model of the runs: images painted from the CLIP's tokens before and after join the page")
    private Path diffusion;

    @Option(
            names = "--images",
            arity = "1..*",
            paramLabel = "PATH",
            description = "images to paint: folders, files, globs, tars; default those of the run")
    private List<String> images = List.of();

    @Option(
            names = "--flipped",
            description = "paint the images of the pairs that are answered otherwise after than before")
    private boolean flipped;

    @Option(
            names = "--paint",
            defaultValue = "6",
            paramLabel = "N",
            description = "images to paint, at most; default ${DEFAULT-VALUE}")
    private int count;

    @Option(
            names = "--steps",
            defaultValue = "25",
            paramLabel = "N",
            description = "steps of sampling for each; default ${DEFAULT-VALUE}")
    private int steps;

    @Option(
            names = "--heatmaps",
            paramLabel = "N",
            description =
                    "where the CLIP sees the statements of the first N pairs that are answered otherwise after than before")
    private Integer heatMaps;

    @Option(names = "--json", description = "print the result as JSON")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        if (count < 1 || steps < 1) {
            throw new ParameterException(spec.commandLine(), "--paint and --steps are at least 1");
        }
        if (heatMaps != null && heatMaps < 1) {
            throw new ParameterException(spec.commandLine(), "--heatmaps is at least 1");
        }
        if (diffusion == null && (flipped || !images.isEmpty())) {
            throw new ParameterException(
                    spec.commandLine(), "--images and --flipped are painted by a --diffusion model: give both");
        }
        if (flipped && !images.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "give --images or --flipped");
        }
        Path page = target != null ? target : defaultPage();
        if (!page.toString().matches(".*\\.html?")) {
            throw new ParameterException(
                    spec.commandLine(), "--out is " + page + ", expected a name that ends with .html");
        }
        ReportWriter.requireOurs(page);
        if (diffusion != null) {
            runs.stream().filter(Files::isDirectory).forEach(this::paint);
        }
        if (heatMaps != null) {
            runs.stream().filter(Files::isDirectory).forEach(run -> HeatMaps.write(run, heatMaps));
        }
        ReportWriter.write(runs, page);
        PrintWriter out = spec.commandLine().getOut();
        out.println(json ? new ObjectMapper().writeValueAsString(Map.of("report", page.toString())) : page);
        out.flush();
        return 0;
    }

    private void paint(Path run) {
        RunReconstructions reconstructions =
                RunReconstructions.of(run, diffusion, wanted(run), new RunReconstructions.Settings(count, steps));
        AtomicLong done = new AtomicLong();
        try (Progress progress = Progress.start(
                "painting", reconstructions.numSteps(), spec.commandLine().getErr())) {
            reconstructions.write(() -> progress.at(done.incrementAndGet()));
        }
    }

    private List<String> wanted(Path run) {
        return flipped
                ? ReportWriter.flippedImages(run).stream().map(Path::toString).toList()
                : images;
    }

    private Path defaultPage() {
        boolean oneRun = runs.size() == 1 && Files.isDirectory(runs.get(0));
        return oneRun ? runs.get(0).resolve("report.html") : Path.of("report.html");
    }
}
