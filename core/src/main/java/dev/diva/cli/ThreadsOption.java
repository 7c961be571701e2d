package dev.diva.cli;

import dev.diva.engine.Engine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code --threads N} of commands that compute. */
final class ThreadsOption {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "Threads of an operation. Default: all cores.")
    private int threads;

    /** Refuses a number that no machine is quick with. */
    void requireSensible() {
        if (threads < 0 || threads > Engine.mostThreads()) {
            throw new ParameterException(
                    command.commandLine(),
                    "--threads is " + threads + ", expected at most " + Engine.mostThreads() + ", or 0 for all cores");
        }
    }

    /** So many, or 0 for all cores. */
    int count() {
        return threads;
    }
}
