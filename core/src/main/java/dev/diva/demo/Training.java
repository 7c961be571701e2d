package dev.diva.demo;

import dev.diva.engine.ProcessGroup;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.posttrain.run.PostTraining;
import dev.diva.posttrain.run.RunFiles;
import dev.diva.posttrain.run.TrainingModels;
import dev.diva.train.Launch;
import dev.diva.train.PreparedRun;
import dev.diva.train.RunFolder;
import dev.diva.train.TrainListener;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Trainings by the code of their commands, from any thread: begun, continued, or found finished; all can be stopped. */
final class Training {
    private final Set<PreparedRun> running = new HashSet<>(); // guarded by this
    private boolean stopped; // guarded by this

    /** Asks for a checkpoint and a clean end, from any thread. */
    synchronized void stop() {
        stopped = true;
        running.forEach(PreparedRun::stop);
    }

    /** Whether {@link #stop} was called. */
    synchronized boolean isStopped() {
        return stopped;
    }

    /**
     * Post-trains to the end of the recipe.
     *
     * @return false when stopped before
     */
    boolean run(RecipeTree recipe, Path out, Watcher watcher) {
        if (isFinished(out)) {
            return true;
        }
        boolean resume = Files.exists(out.resolve("recipe.yaml"));
        try (TrainingModels models = TrainingModels.load(recipe);
                ProcessGroup alone = ProcessGroup.single();
                PostTraining training =
                        PostTraining.open(models, new Launch(out, resume, List.of("demo"), List.of()), alone, null)) {
            return run(training, watcher);
        }
    }

    /**
     * Trains to the end.
     *
     * @return false when stopped before
     */
    boolean run(PreparedRun run, Watcher watcher) {
        begin(run);
        try {
            return run.train(watcher.training(run.firstStep(), run.steps())) == TrainListener.Outcome.DONE;
        } finally {
            end(run);
        }
    }

    private synchronized void begin(PreparedRun run) {
        running.add(run);
        if (stopped) {
            run.stop();
        }
    }

    private synchronized void end(PreparedRun run) {
        running.remove(run);
    }

    private static boolean isFinished(Path out) {
        if (!RunFolder.isRun(out)) {
            return false;
        }
        try (RunFolder alone = RunFolder.open(out, true, ProcessGroup.single())) {
            RunFiles files = new RunFiles(alone.path());
            return Files.isDirectory(files.clip()) || Files.isDirectory(files.stage1());
        }
    }
}
