package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.engine.ProcessGroup;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.posttrain.run.PostTraining;
import dev.diva.posttrain.run.RunFiles;
import dev.diva.posttrain.run.TrainingModels;
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

/** Post-trains a CLIP by diffusion feedback: DIVA's, GenHancer's, DCR's or un2CLIP's. */
@Command(
        name = "train",
        mixinStandardHelpOptions = true,
        description = "Post-train a CLIP on images alone, by what a diffusion model says of its embeddings.",
        footer = {"", "SIGTERM and SIGINT write a checkpoint and end with code 75: go on with --resume."})
public final class TrainCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private RecipeOptions options;

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
        RecipeTree tree = resume ? options.over(new RunFiles(out).recipe()) : options.tree();
        if (!resume && processes.isFirst()) {
            RunFolder.requireFree(out);
        }
        RecipeOptions.require(tree, "clip", "diffusion", "images");
        Recipe asked = tree.recipe(); // wrong values are told before models are loaded
        MmvpScore score = asked.eval().mmvp() == null
                ? null
                : new MmvpScore(Path.of(asked.eval().mmvp()), Path.of(asked.clip()), asked.format());
        Launch launch =
                new Launch(out, resume, spec.commandLine().getParseResult().originalArgs(), options.files());
        try (TrainingModels models = TrainingModels.load(tree);
                ProcessGroup group =
                        processes.join(models.placement(), models.tree().toYaml())) {
            try (PostTraining run = PostTraining.open(models, launch, group)) {
                return train(run, models.recipe(), score);
            } catch (RuntimeException e) {
                group.fail(Failure.line(e));
                throw e;
            }
        }
    }

    private int train(PostTraining run, Recipe recipe, MmvpScore score) throws JsonProcessingException {
        PrintWriter err = spec.commandLine().getErr();
        if (processes.isFirst()) {
            run.notes().forEach(err::println);
            run.contract().lines().forEach(err::println);
            err.flush();
        }
        long started = System.nanoTime();
        try (StopSignals signals = new StopSignals(run::stop);
                TrainProgress progress =
                        new TrainProgress(err, run.firstStep(), recipe.train().steps())) {
            Outcome outcome = run.train(progress, score);
            progress.close();
            if (processes.isFirst()) {
                print(run, progress, outcome, (System.nanoTime() - started) * 1e-9);
            }
            return outcome == Outcome.DONE ? 0 : ExitCodes.RESUMABLE;
        }
    }

    private void print(PostTraining run, TrainProgress progress, Outcome outcome, double seconds)
            throws JsonProcessingException {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("out", out.toString());
        result.put("outcome", outcome == Outcome.DONE ? "done" : "resumable");
        boolean hasClip =
                outcome == Outcome.DONE && run.result().equals(run.files().clip());
        result.put("clip", hasClip ? run.result().toString() : null);
        if (outcome == Outcome.DONE && !hasClip) {
            result.put("stage1", run.result().toString());
        }
        result.put("loss", Double.isNaN(progress.lastLoss()) ? null : progress.lastLoss());
        result.put("images", progress.images());
        result.put("skipped", run.skipped());
        result.put("notRead", run.notRead());
        result.put("seconds", seconds);
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            writer.println(new ObjectMapper().writeValueAsString(result));
        } else if (outcome == Outcome.DONE) {
            writer.println("wrote " + run.result());
        } else {
            writer.println("stopped after a checkpoint; go on with: diva train --resume --out " + out);
        }
        writer.flush();
    }
}
