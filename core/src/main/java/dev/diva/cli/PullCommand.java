package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.hub.HubName;
import dev.diva.hub.Pull;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Brings a model from the hub. */
@Command(
        name = "pull",
        mixinStandardHelpOptions = true,
        description = "Bring a model from the Hugging Face hub into its cache, where all commands find it by name.",
        footer = {
            "",
            "Reads HF_HUB_CACHE, HF_HOME, HF_TOKEN, HF_ENDPOINT and HTTPS_PROXY. Goes on where it was stopped."
        })
public final class PullCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "ORG/NAME[@REVISION]", description = "Model, at a branch, tag or commit. Default: main.")
    private String model;

    @Option(
            names = "--include",
            arity = "1..*",
            paramLabel = "GLOB",
            description = "Only files of these names, for instance '*.json' model.safetensors. Default: all.")
    private List<String> include = List.of();

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        HubName name = HubName.parse(model)
                .orElseThrow(
                        () -> new BadInputException(model + ": not the name of a model, expected ORG/NAME[@REVISION]"));
        Path folder;
        try (Bar bar = new Bar()) {
            folder = new Pull(System.getenv(), bar).pull(name, include);
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(
                json
                        ? new ObjectMapper()
                                .writeValueAsString(Map.of(
                                        "model", name.id(),
                                        "commit", folder.getFileName().toString(),
                                        "folder", folder.toString()))
                        : name + ": " + folder);
        out.flush();
        return 0;
    }

    /** Megabytes on the error stream. */
    private final class Bar implements Pull.Listener, AutoCloseable {
        private static final long MEGABYTE = 1_000_000;
        private Progress progress;

        @Override
        public void start(int files, long bytes) {
            PrintWriter err = spec.commandLine().getErr();
            err.println(String.format(Locale.ROOT, "%s: %d files, %.1f MB", model, files, bytes / (double) MEGABYTE));
            err.flush();
            progress = Progress.start("MB", Math.max(1, bytes / MEGABYTE), err);
        }

        @Override
        public void at(long bytes, String file) {
            progress.at(bytes / MEGABYTE, file);
        }

        @Override
        public void close() {
            if (progress != null) {
                progress.close();
            }
        }
    }
}
