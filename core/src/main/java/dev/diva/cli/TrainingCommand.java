package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.engine.ProcessGroup;
import dev.diva.train.Launch;
import dev.diva.train.PreparedRun;
import dev.diva.train.RunFolder;
import dev.diva.train.TrainListener.Outcome;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder of the run.")
    private Path out;

    @Option(names = "--resume", description = "Go on with the run in --out from its newest checkpoint.")
    private boolean resume;

    @Option(names = "--json", description = "Print the outcome as JSON.")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        return processes.launches() ? processes.launch() : train();
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

    final ProcessesOption processes() {
        return processes;
    }

    /** Refuses a folder in use before models are loaded. */
    final void requireFreeFolder() {
        if (!resume && processes.isFirst()) {
            RunFolder.requireFree(out);
        }
    }

    /** @param recipeFiles files that the recipe was read from */
    final Launch launch(List<Path> recipeFiles) {
        return new Launch(out, resume, spec.commandLine().getParseResult().originalArgs(), recipeFiles);
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

    private void print(R run, TrainProgress progress, boolean isDone, double seconds) throws JsonProcessingException {
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            Map<String, Object> record = new LinkedHashMap<>();
            record.put("out", out.toString());
            record.put("outcome", isDone ? "done" : "resumable");
            describe(run, isDone, progress.images(), record);
            record.put("loss", Double.isNaN(progress.lastLoss()) ? null : progress.lastLoss());
            record.put("skipped", run.skipped());
            record.put("seconds", seconds);
            writer.println(new ObjectMapper().writeValueAsString(record));
        } else if (isDone) {
            writer.println("wrote " + run.result());
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
