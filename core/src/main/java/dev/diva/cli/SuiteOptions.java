package dev.diva.cli;

import dev.diva.clip.Clip;
import dev.diva.engine.Precision;
import dev.diva.eval.Feature;
import dev.diva.eval.suite.SuiteRun;
import java.io.PrintWriter;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The suite of a command, how its cells are run, and what is told of them. */
final class SuiteOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--suite", required = true, paramLabel = "FILE", description = "YAML: models and datasets.")
    private Path suite;

    @Option(names = "--skip-existing", description = "Keep cells that are there.")
    private boolean skipExisting;

    @Option(
            names = "--precision",
            defaultValue = "fp32",
            converter = EvalModels.PrecisionName.class,
            description = "fp32 (default) or bf16.")
    private Precision precision;

    @Option(
            names = "--feature",
            defaultValue = "zero-shot",
            converter = EvalModels.FeatureName.class,
            description = "zero-shot (default), class-plus-mean-local, mean-local or backbone.")
    private Feature feature;

    /** The file. */
    Path suite() {
        return suite;
    }

    /** How cells are run. */
    SuiteRun.Options run() {
        return new SuiteRun.Options(Clip.Options.DEFAULT.withPrecision(precision), feature, skipExisting);
    }

    /** Tells of cells while they are run. */
    SuiteRun.Listener progress() {
        return new Progress(spec.commandLine().getErr());
    }

    /** Tells of each cell on the error stream. */
    private record Progress(PrintWriter err) implements SuiteRun.Listener {
        @Override
        public void done(Path file, boolean computed) {
            err.println((computed ? "scored " : "kept ") + file);
            err.flush();
        }

        @Override
        public void noted(String note) {
            err.println("warning: " + note);
            err.flush();
        }

        @Override
        public void failed(SuiteRun.Failure failure) {
            err.println("failed " + line(failure));
            err.flush();
        }
    }

    /** What failed, and why, in a line. */
    static String line(SuiteRun.Failure failure) {
        return failure.model() + " on " + failure.dataset() + ", "
                + failure.task().recordName() + ": "
                + Failure.line(failure.cause());
    }
}
