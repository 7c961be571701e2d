package dev.diva.cli;

import dev.diva.BuildInfo;
import dev.diva.Sha256;
import dev.diva.engine.Engine;
import dev.diva.engine.Placement;
import dev.diva.engine.ProcessGroup;
import dev.diva.engine.ProcessPlace;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code --processes N} of commands whose work several processes share. */
final class ProcessesOption {
    private static final String NAME = "--processes";

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = NAME,
            paramLabel = "N",
            description = "Share the work between N processes of this machine; torchrun's environment does the same.")
    private Integer processes;

    @Option(
            names = "--process-timeout",
            paramLabel = "SECONDS",
            defaultValue = "300",
            description = "How long to wait for all processes to come. Default: ${DEFAULT-VALUE}.")
    private long timeoutSeconds;

    @Option(
            names = "--exchange-timeout",
            paramLabel = "SECONDS",
            defaultValue = "600",
            description = {
                "How long a process waits for another in a step before it says that the other hangs;",
                "scores that the first one computes during training count. Default: ${DEFAULT-VALUE}."
            })
    private long exchangeSeconds;

    /** Whether this process is only to start the ranks. */
    boolean launches() {
        if (timeoutSeconds < 1 || exchangeSeconds < 1) {
            throw new ParameterException(
                    command.commandLine(), "--process-timeout and --exchange-timeout are at least 1 second");
        }
        if (processes != null && processes < 1) {
            throw new ParameterException(command.commandLine(), NAME + " is " + processes + ", expected at least 1");
        }
        if (processes != null && processes > Engine.mostThreads()) {
            throw new ParameterException(
                    command.commandLine(), NAME + " is " + processes + ", expected at most " + Engine.mostThreads());
        }
        return processes != null && processes > 1;
    }

    /** Starts the same command line for each rank and waits for all. */
    int launch() {
        CommandLine root = command.root().commandLine();
        List<String> program = new ArrayList<>(List.of(Main.class.getName()));
        program.addAll(withoutOption(root.getParseResult().originalArgs()));
        CommandLine mine = command.commandLine();
        return new ProcessLauncher(processes, program, mine.getOut(), mine.getErr()).run();
    }

    /** Whether this process writes; true in a run of one process. */
    boolean isFirst() {
        return ProcessPlace.of(System.getenv()).map(place -> place.rank() == 0).orElse(true);
    }

    /**
     * Meets the other processes of the run; free where there are none.
     *
     * @param recipe text that must be the same on every process
     */
    ProcessGroup join(Placement placement, String recipe) {
        Optional<ProcessPlace> place = ProcessPlace.of(System.getenv());
        if (place.isEmpty()) {
            return ProcessGroup.single();
        }
        BuildInfo build = BuildInfo.read();
        Map<String, String> terms = Map.of(
                "recipe",
                Sha256.of(recipe.getBytes(StandardCharsets.UTF_8)).substring(0, 12),
                "version",
                build.version() + " (" + build.commit() + ")");
        return ProcessGroup.join(
                place.get(), placement, terms, Duration.ofSeconds(timeoutSeconds), Duration.ofSeconds(exchangeSeconds));
    }

    static List<String> withoutOption(List<String> arguments) {
        List<String> kept = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            if (arguments.get(i).equals(NAME)) {
                i++;
            } else if (!arguments.get(i).startsWith(NAME + "=")) {
                kept.add(arguments.get(i));
            }
        }
        return kept;
    }
}
