package dev.diva.demo;

import dev.diva.engine.ProcessGroup;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.posttrain.run.PostTraining;
import dev.diva.posttrain.run.RunFiles;
import dev.diva.posttrain.run.TrainingModels;
import dev.diva.train.Launch;
import dev.diva.train.RunFolder;
import dev.diva.train.TrainListener;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** One post-training, by the code of {@code diva train}: begun, continued, or found finished. */
final class Training {
    private volatile boolean stopped;
    private PostTraining running; // guarded by this

    /** Asks for a checkpoint and a clean end, from any thread. */
    void stop() {
        stopped = true;
        synchronized (this) {
            if (running != null) {
                running.stop();
            }
        }
    }

    /** Whether {@link #stop} was called. */
    boolean isStopped() {
        return stopped;
    }

    /**
     * Trains to the end of the recipe.
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
                        PostTraining.open(models, new Launch(out, resume, List.of("demo"), List.of()), alone)) {
            synchronized (this) {
                running = training;
            }
            if (stopped) {
                training.stop();
            }
            TrainListener listener = watcher.training(
                    training.firstStep(), models.recipe().train().steps());
            return training.train(listener, null) == TrainListener.Outcome.DONE;
        } finally {
            synchronized (this) {
                running = null;
            }
        }
    }

    private static boolean isFinished(Path out) {
        if (!RunFolder.isRun(out)) {
            return false;
        }
        try (RunFolder alone = RunFolder.open(out, true, ProcessGroup.single())) {
            return Files.isDirectory(new RunFiles(alone.path()).clip());
        }
    }
}
