package dev.diva.train.run;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.data.DataCheck;
import dev.diva.data.DataProblem;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageSet;
import dev.diva.engine.Engine;
import dev.diva.engine.Precision;
import dev.diva.engine.Processes;
import dev.diva.feedback.DiffusionFeedback;
import dev.diva.train.Checkpoints;
import dev.diva.train.MetricsFile;
import dev.diva.train.Objective;
import dev.diva.train.StepRecord;
import dev.diva.train.Team;
import dev.diva.train.TrainListener;
import dev.diva.train.TrainSettings;
import dev.diva.train.Trainer;
import dev.diva.train.recipe.Recipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A run from recipe to result: {@code open}, {@link #contract}, {@link #train}, and the result is in its folder. Everything that can be
 * wrong with the input is found before the folder is made.
 */
public final class PostTraining implements AutoCloseable {
    private static final int CHECKED_IMAGES = 200;

    private final TrainingModels models;
    private final Recipe recipe;
    private final Launch launch;
    private final Team team;
    private final boolean first; // whether this process writes
    private final List<String> notes = new ArrayList<>();
    private final ImageSet images;
    private final DataCheck dataCheck; // null when resumed, or on a further process
    private final DiffusionFeedback feedback;
    private final LatentCache cache; // or null
    private final RunFolder folder;
    private final Manifest manifest;
    private final Checkpoints checkpoints;
    private final RunStart start;
    private Trainer trainer;
    private volatile boolean stopped;

    private PostTraining(TrainingModels models, Launch launch, Processes processes) {
        this.models = models;
        this.recipe = models.recipe();
        this.launch = launch;
        this.team =
                Team.of(processes, recipe.train().accumulate(), recipe.train().batch());
        this.first = processes.isFirst();
        requireWholeBatches();
        List<DataProblem> problems = new ArrayList<>();
        this.images = ImageSet.open(recipe.images(), problems::add);
        this.feedback = models.feedback();
        this.dataCheck = launch.resume() || !first ? null : checked();
        this.cache = openCache(models);
        this.folder = openFolder();
        this.manifest = new Manifest(folder.manifest());
        problems.forEach(manifest::skip);
        models.problem().ifPresent(notes::add);
        models.assumptions().forEach(note -> notes.add("warning: " + note));
        this.checkpoints =
                new Checkpoints(folder.checkpoints(), recipe.checkpoint().keep());
        this.start = RunStart.of(models, team.processes(), checkpoints, launch.resume(), notes::add);
        if (first) {
            writeStart();
        }
    }

    private void requireWholeBatches() {
        if (recipe.latents() == Recipe.Latents.SHUFFLED && team.sharing().slices() > 1) {
            throw new BadInputException("recipe: latents: shuffled needs whole micro-batches; use a number of processes"
                    + " that divides train.accumulate " + recipe.train().accumulate());
        }
    }

    private RunFolder openFolder() {
        if (!first) {
            return RunFolder.shared(launch.out());
        }
        return launch.resume() ? reopened() : RunFolder.create(launch.out());
    }

    /**
     * Prepares a run.
     *
     * @param models stay the caller's
     * @param processes that share the run; stay the caller's
     * @throws BadInputException when images, folder or recipe do not allow it
     */
    public static PostTraining open(TrainingModels models, Launch launch, Processes processes) {
        return new PostTraining(models, launch, processes);
    }

    private DataCheck checked() {
        DataCheck check =
                DataCheck.run(images, ImageDecoder.reference(), CHECKED_IMAGES, recipe.seed(), recipe.resolution());
        int bad = check.unreadable().size();
        if (bad == check.checked() || bad > recipe.maxBadShare() * check.checked()) {
            throw new BadInputException(bad + " of " + check.checked()
                    + " images cannot be read, more than the limit of " + recipe.maxBadShare()
                    + " (--max-bad-share); the first: " + check.unreadable().get(0));
        }
        return check;
    }

    /** The cache of a recipe, or null. */
    private static LatentCache openCache(TrainingModels models) {
        Recipe recipe = models.recipe();
        if (recipe.cache() == null) {
            return null;
        }
        if (recipe.crops() == null && !recipe.crop().isFixed()) {
            throw new BadInputException(
                    "recipe: cache is useless while every epoch crops anew; set crops to the number of"
                            + " fixed crops of an image, for instance crops: 1");
        }
        return new LatentCache(
                Path.of(recipe.cache()),
                Autoencoders.identity(
                        models.teacher().files(),
                        models.hashes(),
                        recipe.feedback().pixels(),
                        models.placement().precision()));
    }

    private RunFolder reopened() {
        RunFolder reopened = RunFolder.reopen(launch.out());
        List<String> differences = RunFolder.readRecipe(launch.out()).differences(models.tree());
        if (!differences.isEmpty()) {
            reopened.close();
            throw new BadInputException(launch.out() + ": was started with another recipe: "
                    + String.join("; ", differences) + ". Resume with the same recipe, or start a new run");
        }
        return reopened;
    }

    private void writeStart() {
        if (!launch.resume()) {
            folder.writeRecipe(models.tree());
            AtomicFile.writeString(folder.data(), DataReport.json(dataCheck));
        }
        if (!manifest.isDescribed()) {
            List<Path> inputs = new ArrayList<>(models.vision().files());
            inputs.addAll(models.teacher().files());
            inputs.addAll(launch.recipeFiles());
            if (!recipe.projection().init().equals("random")) {
                inputs.add(Path.of(recipe.projection().init()));
            }
            manifest.describe(recipe, inputs, images);
            manifest.assume(models.assumptions());
        }
        manifest.addSession(launch.arguments(), start.step());
        manifest.write();
    }

    /** What is about to happen; times one pass through each model. */
    public Contract contract() {
        return Contract.of(models, start.step(), StepTime.predict(models, cache != null));
    }

    /** What the check of the images found, the choice of the checkpoint, memory that cannot be shared. */
    public List<String> notes() {
        List<String> lines = new ArrayList<>(notes);
        if (dataCheck != null) {
            lines.addAll(DataReport.lines(dataCheck));
        }
        return lines;
    }

    /** Step that this process starts with. */
    public long firstStep() {
        return start.step();
    }

    /** Images that were left out so far. */
    public int skipped() {
        return manifest.skippedCount();
    }

    /** The folder of the run. */
    public RunFolder folder() {
        return folder;
    }

    /** Asks for a checkpoint and a clean end, from any thread. */
    public void stop() {
        stopped = true;
        Trainer running = trainer;
        if (running != null) {
            running.stop();
        }
    }

    /**
     * Trains, and writes the result when the last step is done. On a further process of a run it computes, and writes nothing.
     *
     * @param watcher told of every step by the first process
     * @param scores held-out scores, or null
     */
    public TrainListener.Outcome train(TrainListener watcher, ScoredModel scores) {
        try {
            TrainListener.Outcome outcome = first ? trainAndWrite(watcher, scores) : trainBeside();
            gatherSkipped();
            return outcome;
        } finally {
            if (cache != null) {
                cache.flush();
            }
            if (first) {
                manifest.write();
            }
        }
    }

    /** Each process skips images of its own; the first lists them all. */
    private void gatherSkipped() {
        for (String skipped : team.processes().gather(manifest.skippedLines())) {
            manifest.addSkipped(skipped);
        }
    }

    private TrainListener.Outcome trainBeside() {
        try (ImageBatches batches = batches()) {
            return train(batches, new TrainListener() {});
        }
    }

    private TrainListener.Outcome trainAndWrite(TrainListener watcher, ScoredModel scores) {
        Evaluations evaluations = scores == null
                ? null
                : new Evaluations(folder, models.vision(), scores, recipe.eval().every());
        if (evaluations != null) {
            evaluations.before(Path.of(recipe.clip()));
        }
        try (ImageBatches batches = batches();
                TensorBoardFile events = new TensorBoardFile(folder.path(), start.step())) {
            List<TrainListener> listeners = new ArrayList<>();
            listeners.add(new MetricsFile(folder.metrics(), start.step()));
            listeners.add(hashing());
            listeners.add(events);
            if (evaluations != null) {
                listeners.add(evaluations);
            }
            listeners.add(watcher);
            TrainListener.Outcome outcome = train(batches, new Listeners(listeners));
            if (outcome == TrainListener.Outcome.DONE) {
                writeResult();
            }
            if (outcome == TrainListener.Outcome.DONE && evaluations != null) {
                evaluations.after();
            }
            return outcome;
        }
    }

    /** Hashes what the run is made from beside its second step and those that follow: the first, that a user waits for, has the machine alone. */
    private TrainListener hashing() {
        return new TrainListener() {
            @Override
            public void stepDone(StepRecord step) {
                if (step.step() == start.step()) {
                    models.hashes().start(manifest.unhashed());
                }
            }

            @Override
            public void checkpointWritten(long step, Path checkpoint) {
                if (!manifest.isDescribed()) {
                    manifest.take(models.hashes());
                    manifest.write();
                }
            }
        };
    }

    private ImageBatches batches() {
        SamplePreparation preparation = new SamplePreparation(recipe, models.pixels(), true, cache);
        Latents latents = new Latents(models.teacher().autoencoder(), cache, recipe.resolution());
        return new ImageBatches(
                recipe,
                images,
                preparation,
                latents,
                models.vision().tower().config().imageSize(),
                start.step(),
                team.sharing(),
                manifest::skip);
    }

    private TrainListener.Outcome train(ImageBatches batches, TrainListener listener) {
        Double maxGradNorm = recipe.train().maxGradNorm();
        TrainSettings settings = new TrainSettings(
                recipe.train().rates(),
                recipe.projectionRates(),
                recipe.train().accumulate(),
                maxGradNorm == null ? Double.NaN : maxGradNorm,
                recipe.checkpoint().every(),
                recipe.train().projectionSteps(),
                recipe.lowMemory() && models.placement().precision() == Precision.BF16);
        Objective objective = new FeedbackObjective(
                feedback,
                models.teacher().denoiser().latentChannels(),
                recipe.resolution() / models.teacher().autoencoder().downscale(),
                recipe.lowMemory());
        trainer = new Trainer(settings, objective, batches, checkpoints, listener, team);
        if (stopped) {
            trainer.stop();
        }
        team.processes().awaitAll(); // the first may have scored the untouched model for a long time
        return trainer.train(start.state());
    }

    private void writeResult() {
        Engine.trimMemory(); // of activations and gradients, which are not needed any more
        models.projection().write(folder.projection());
        models.vision().export(folder.clip(), true);
        models.hashes().start(manifest.unhashed()); // all but those begun after the first step
        models.hashes().await();
        manifest.take(models.hashes());
        manifest.put("finished", java.time.Instant.now().toString());
    }

    @Override
    public void close() {
        start.close();
        if (cache != null) {
            cache.close();
        }
        folder.close();
    }
}
