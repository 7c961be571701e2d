package dev.diva.cli;

import java.util.ArrayList;
import java.util.List;
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

    /** Whether this process is only to start the ranks. */
    boolean launches() {
        if (processes != null && processes < 1) {
            throw new ParameterException(command.commandLine(), NAME + " is " + processes + ", expected at least 1");
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
