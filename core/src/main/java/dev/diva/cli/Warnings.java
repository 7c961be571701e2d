package dev.diva.cli;

import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;

/** What a user should know of a result that was made all the same: a line each on standard error. */
final class Warnings {
    private Warnings() {}

    static void print(CommandSpec spec, List<String> lines) {
        PrintWriter err = spec.commandLine().getErr();
        lines.forEach(line -> err.println("warning: " + line));
        err.flush();
    }
}
