package dev.diva.cli;

import dev.diva.engine.Engine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code --threads N} of commands that compute; a number that no machine is quick with is wrong usage. */
final class ThreadsOption {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    private int threads;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "Threads of an operation. Default: all cores.")
    void set(int count) {
        if (count < 0 || count > Engine.mostThreads()) {
            throw new ParameterException(
                    command.commandLine(),
                    "--threads is " + count + ", expected at most " + Engine.mostThreads() + ", or 0 for all cores");
        }
        threads = count;
    }

    /** So many, or 0 for all cores. */
    int count() {
        return threads;
    }
}
