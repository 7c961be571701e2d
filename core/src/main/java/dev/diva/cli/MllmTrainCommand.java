package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.engine.ProcessGroup;
import dev.diva.mllm.train.StageInputs;
import dev.diva.mllm.train.StageKeys;
import dev.diva.mllm.train.StageRun;
import dev.diva.train.Launch;
import dev.diva.train.RunFolder;
import dev.diva.train.TrainListener.Outcome;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** LLaVA-1.5's two stages. */
@Command(
        name = "train",
        mixinStandardHelpOptions = true,
        description =
                "Train a LLaVA-1.5: its projector from captions, then projector and language model from conversations.",
        footer = {"", "SIGTERM and SIGINT write a checkpoint and end with code 75: go on with --resume."})
public final class MllmTrainCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private StageOptions options;

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
        if (processes.launches()) {
            return processes.launch();
        }
        StageKeys keys = resume ? options.over(StageKeys.ofRun(out)) : options.keys();
        if (!resume && processes.isFirst()) {
            RunFolder.requireFree(out);
        }
        Launch launch =
                new Launch(out, resume, spec.commandLine().getParseResult().originalArgs(), options.files());
        try (StageInputs inputs = StageInputs.load(keys);
                ProcessGroup group =
                        processes.join(inputs.placement(), inputs.keys().toYaml())) {
            try (StageRun run = StageRun.open(inputs, launch, group)) {
                return train(run, inputs.recipe().train().steps());
            } catch (RuntimeException e) {
                group.fail(Failure.line(e));
                throw e;
            }
        }
    }

    private int train(StageRun run, long steps) throws JsonProcessingException {
        PrintWriter err = spec.commandLine().getErr();
        if (processes.isFirst()) {
            run.notes().forEach(err::println);
            run.contract().lines().forEach(err::println);
            err.flush();
        }
        long started = System.nanoTime();
        try (StopSignals signals = new StopSignals(run::stop);
                TrainProgress progress = new TrainProgress(err, run.firstStep(), steps)) {
            Outcome outcome = run.train(progress);
            progress.close();
            if (processes.isFirst()) {
                print(run, progress, outcome, (System.nanoTime() - started) * 1e-9);
            }
            return outcome == Outcome.DONE ? 0 : ExitCodes.RESUMABLE;
        }
    }

    private void print(StageRun run, TrainProgress progress, Outcome outcome, double seconds)
            throws JsonProcessingException {
        boolean isDone = outcome == Outcome.DONE;
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("out", out.toString());
            result.put("outcome", isDone ? "done" : "resumable");
            result.put("llava", isDone ? run.result().toString() : null);
            result.put("loss", Double.isNaN(progress.lastLoss()) ? null : progress.lastLoss());
            result.put("samples", progress.images());
            result.put("skipped", run.skipped());
            result.put("seconds", seconds);
            writer.println(new ObjectMapper().writeValueAsString(result));
        } else if (isDone) {
            writer.println("wrote " + run.result());
        } else {
            writer.println("stopped after a checkpoint; go on with: diva mllm train --resume --out " + out);
        }
        writer.flush();
        if (run.skipped() > 0) {
            spec.commandLine()
                    .getErr()
                    .println("warning: nothing was learnt of " + run.skipped() + " samples; manifest.json lists them");
        }
    }
}
