package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.Temporary;
import dev.diva.engine.Engine;
import dev.diva.engine.Gpu;
import dev.diva.engine.ProcessGroup;
import dev.diva.hub.Address;
import dev.diva.report.LossChange;
import dev.diva.train.Launch;
import dev.diva.train.PreparedRun;
import dev.diva.train.RunFolder;
import dev.diva.train.StepRecord;
import dev.diva.train.TrainListener;
import dev.diva.train.TrainListener.Outcome;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * A command that trains: its folder and processes, signals, progress and the outcome in words or JSON.
 *
 * @param <R> the kind of run
 */
abstract class TrainingCommand<R extends PreparedRun> implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ProcessesOption processes;

    @Option(names = "--out", paramLabel = "DIR", description = "Folder of the run.")
    private Path out;

    @Option(
            names = "--dry-run",
            description = "Check recipe, models and images, take one step, say what it took; write nothing.")
    private boolean dryRun;

    @Option(names = "--resume", description = "Go on with the run in --out from its newest checkpoint.")
    private boolean resume;

    @Option(names = "--json", description = "Print the outcome as JSON.")
    private boolean json;

    private Temporary scratch; // folder of a dry run

    @Override
    public Integer call() throws JsonProcessingException {
        boolean launches = processes.launches();
        if (!dryRun) {
            if (out == null) {
                throw new ParameterException(spec.commandLine(), "Missing required option: '--out=DIR'");
            }
            return launches ? processes.launch() : train();
        }
        if (launches || resume) {
            throw new ParameterException(
                    spec.commandLine(), "--dry-run is of a new run in one process, without --resume and --processes");
        }
        try (Temporary folder = Temporary.folder(Path.of(System.getProperty("java.io.tmpdir"), "diva-dry-run"))) {
            scratch = folder;
            return train();
        } catch (IOException e) {
            throw new BadInputException(System.getProperty("java.io.tmpdir") + ": cannot be written: " + e, e);
        }
    }

    /** Reads the recipe, loads what it names and calls {@link #run}; the exit code. */
    abstract int train() throws JsonProcessingException;

    /**
     * What this kind of run says beside what all of them say.
     *
     * @param isDone false after a stop
     * @param samples that this process has learnt from
     * @param record takes keys and values
     */
    abstract void describe(R run, boolean isDone, long samples, Map<String, Object> record);

    /** A line on the error stream behind the outcome, or null. */
    String remark(R run) {
        return null;
    }

    final Path out() {
        return out;
    }

    final boolean resume() {
        return resume;
    }

    /** Whether nothing is to be left behind, caches included. */
    final boolean isDryRun() {
        return dryRun;
    }

    final ProcessesOption processes() {
        return processes;
    }

    /** Refuses a folder in use before models are loaded. */
    final void requireFreeFolder() {
        if (!resume && !dryRun && processes.isFirst()) {
            RunFolder.requireFree(out);
        }
    }

    /** @param recipeFiles files that the recipe was read from */
    final Launch launch(List<Path> recipeFiles) {
        List<String> arguments = spec.commandLine().getParseResult().originalArgs().stream()
                .map(Address::withoutSecrets)
                .toList();
        return new Launch(dryRun ? scratch.path() : out, resume, arguments, recipeFiles);
    }

    /** Opens a run and trains; a failure is told to the other processes. */
    final int run(ProcessGroup group, Supplier<R> open) throws JsonProcessingException {
        try (R run = open.get()) {
            return run(run);
        } catch (RuntimeException e) {
            group.fail(Failure.line(e));
            throw e;
        }
    }

    private int run(R run) throws JsonProcessingException {
        PrintWriter err = spec.commandLine().getErr();
        if (processes.isFirst()) {
            run.notes().forEach(err::println);
            run.contract().lines().forEach(err::println);
            err.flush();
        }
        if (dryRun) {
            return firstStep(run);
        }
        long started = System.nanoTime();
        try (StopSignals signals = new StopSignals(run::stop);
                TrainProgress progress = new TrainProgress(err, run.firstStep(), run.steps())) {
            Outcome outcome = run.train(progress);
            progress.close();
            if (processes.isFirst()) {
                print(run, progress, outcome == Outcome.DONE, (System.nanoTime() - started) * 1e-9);
            }
            return outcome == Outcome.DONE ? 0 : ExitCodes.RESUMABLE;
        }
    }

    /** Ends the run behind its first step as a kill would: no checkpoint, no result. */
    private int firstStep(R run) throws JsonProcessingException {
        try {
            run.train(new TrainListener() {
                @Override
                public void stepDone(StepRecord step) {
                    throw new FirstStep(step);
                }
            });
            throw new BadInputException("dry run: no step to take");
        } catch (FirstStep e) {
            Map<String, Object> record = new LinkedHashMap<>();
            record.put("outcome", "dry run");
            record.put("loss", e.step.loss());
            record.put("gradNorm", e.step.gradNorm());
            record.put("secondsPerStep", e.step.seconds());
            record.put("residentBytes", Engine.residentBytes());
            Gpu.memory().ifPresent(gpu -> record.putAll(gpu.peaks()));
            PrintWriter writer = spec.commandLine().getOut();
            writer.println(
                    json
                            ? new ObjectMapper().writeValueAsString(record)
                            : String.format(
                                    Locale.ROOT,
                                    "dry run: the first step took %.3g s, loss %.5f, %.2f GiB resident; nothing was written",
                                    e.step.seconds(),
                                    e.step.loss(),
                                    Engine.residentBytes() / (double) (1 << 30)));
            writer.flush();
            return 0;
        }
    }

    private static final class FirstStep extends RuntimeException {
        private final transient StepRecord step;

        private FirstStep(StepRecord step) {
            super(null, null, false, false);
            this.step = step;
        }
    }

    private void print(R run, TrainProgress progress, boolean isDone, double seconds) throws JsonProcessingException {
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            Map<String, Object> record = new LinkedHashMap<>();
            record.put("out", out.toString());
            record.put("outcome", isDone ? "done" : "resumable");
            describe(run, isDone, progress.images(), record);
            record.put("loss", Double.isNaN(progress.lastLoss()) ? null : progress.lastLoss());
            LossChange.read(out).ifPresent(loss -> {
                record.put("lossFirstTenth", loss.first());
                record.put("lossLastTenth", loss.last());
                record.put("projectionSteps", loss.projectionSteps());
            });
            record.put("skipped", run.skipped());
            record.put("seconds", seconds);
            writer.println(new ObjectMapper().writeValueAsString(record));
        } else if (isDone) {
            writer.println("wrote " + run.result());
            LossChange.read(out).ifPresent(loss -> writer.println(loss.line()));
        } else {
            writer.println(
                    "stopped after a checkpoint; go on with: " + spec.qualifiedName() + " --resume --out " + out);
        }
        writer.flush();
        String remark = remark(run);
        if (remark != null) {
            spec.commandLine().getErr().println(remark);
        }
    }
}
