package dev.diva.world.pretrain;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.KeyFile;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.RandomStreams;
import dev.diva.train.Checkpoints;
import dev.diva.train.FileHashes;
import dev.diva.train.Objective;
import dev.diva.train.OptimizerSettings;
import dev.diva.train.RecipeKeys;
import dev.diva.train.RunFolder;
import dev.diva.train.RunPlan;
import dev.diva.train.Schedule;
import dev.diva.train.Sharding;
import dev.diva.train.TrainListener.Outcome;
import dev.diva.train.TrainSettings;
import dev.diva.train.TrainingRun;
import dev.diva.world.WorldRecipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * What the three small models have in common: AdamW, warm-up and cosine, fp16 files, and a run in the folder {@code NAME.training} beside the
 * model, to go on from when it was interrupted. Its checkpoints go when the model is done; its records stay.
 */
final class Pretraining {
    private static final OptimizerSettings OPTIMIZER = new OptimizerSettings.AdamW(0.9, 0.98, 1e-8, 0.01);
    private static final double MAX_GRAD_NORM = 1.0;
    private static final double WARMUP = 0.05;
    private static final int CHECKPOINT_EVERY = 250;

    private final WorldRecipe world;
    private final PretrainSettings settings;
    private final PretrainLaunch launch;
    private final PretrainListener listener;
    private final Sharding sharding;

    /** @throws BadInputException when the model is there already, or the images of a step cannot be dealt out evenly */
    Pretraining(WorldRecipe world, PretrainSettings settings, PretrainLaunch launch, PretrainListener listener) {
        this.world = world;
        this.settings = settings;
        this.launch = launch;
        this.listener = listener;
        this.sharding = Sharding.of(launch.processGroup(), 1, settings.batch());
        if (launch.processGroup().isFirst()) {
            AtomicFolder.requireFree(launch.out(), "choose another --out");
        }
    }

    /** Batches of so many scenes, in an order that follows from the seed. */
    SceneBatches batches(int scenes) {
        return new SceneBatches(scenes, settings.seed(), sharding);
    }

    /**
     * Trains all parameters of the weights in place, from the newest checkpoint if there is one.
     *
     * @param inputs folders of models that this one is made from, by their key
     * @param result writes the model, once it is trained
     */
    Outcome train(
            Weights weights,
            Objective<SceneBatch> objective,
            SceneBatches batches,
            Map<String, Path> inputs,
            AtomicFolder.Body result) {
        RecipeKeys recipe = recipe(inputs);
        List<String> notes = new ArrayList<>();
        boolean resume = launch.processGroup().isFirst() && isBegun();
        try (RunFolder folder = RunFolder.open(launch.run(), resume, launch.processGroup());
                FileHashes hashes = new FileHashes()) {
            if (resume) {
                requireSame(folder, recipe);
            }
            try (TrainingRun run =
                    TrainingRun.open(folder, resume, plan(weights), launch.processGroup(), hashes, notes::add)) {
                if (launch.processGroup().isFirst()) {
                    begin(run, folder, recipe, inputs);
                }
                listener.begins(run, notes);
                Outcome outcome = run.train(
                        objective, batches, List.of(listener), () -> AtomicFolder.write(launch.out(), result));
                if (outcome == Outcome.DONE && launch.processGroup().isFirst()) {
                    new Checkpoints(folder.checkpoints(), 1).removeAll();
                }
                return outcome;
            }
        }
    }

    /** Whether there is a training to go on with. */
    private boolean isBegun() {
        boolean begun = RunFolder.isRun(launch.run());
        if (begun && TrainingRun.isFinished(launch.run())) {
            throw new BadInputException(launch.run()
                    + ": holds the records of a training that is done; remove it, or choose another --out");
        }
        if (launch.resume() && !begun) {
            throw new BadInputException(
                    launch.run() + ": nothing to resume: no training is there; start it without --resume");
        }
        return begun;
    }

    private static void requireSame(RunFolder folder, RecipeKeys recipe) {
        RecipeKeys begun = new RecipeKeys(KeyFile.read(folder.recipe()));
        List<String> differences = begun.differences(recipe, key -> true);
        if (!differences.isEmpty()) {
            throw new BadInputException(folder.path() + ": was begun with other values: "
                    + String.join("; ", differences) + ". Go on with the same, or remove the folder");
        }
    }

    private RunPlan plan(Weights weights) {
        long warmup = Schedule.warmupSteps(WARMUP, settings.steps());
        Schedule schedule = new Schedule(Schedule.Kind.COSINE, settings.lr(), warmup, settings.steps());
        return new RunPlan(
                weights.parameters(),
                new TrainSettings(schedule, 1, MAX_GRAD_NORM, CHECKPOINT_EVERY),
                OPTIMIZER,
                new RandomStreams(settings.seed()),
                sharding,
                1);
    }

    private RecipeKeys recipe(Map<String, Path> inputs) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.putObject("world")
                .put("seed", world.seed())
                .put("side", world.side())
                .put("pretrain", world.pretrain())
                .put("named", world.named());
        root.putObject("train")
                .put("seed", settings.seed())
                .put("steps", settings.steps())
                .put("batch", settings.batch())
                .put("lr", settings.lr());
        new TreeMap<>(inputs)
                .forEach((key, path) -> root.put(key, path.toAbsolutePath().toString()));
        return new RecipeKeys(root);
    }

    private void begin(TrainingRun run, RunFolder folder, RecipeKeys recipe, Map<String, Path> inputs) {
        AtomicFile.writeString(folder.recipe(), recipe.toYaml());
        if (!run.manifest().isDescribed()) {
            ObjectNode facts = JsonNodeFactory.instance.objectNode().put("seed", settings.seed());
            run.manifest()
                    .describe(
                            facts,
                            inputs.values().stream().flatMap(Pretraining::files).toList());
        }
        run.begin(launch.arguments());
    }

    private static Stream<Path> files(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).toList().stream();
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be listed: " + e, e);
        }
    }

    /** Writes tensors in fp16. */
    static void write(Path file, Map<String, Tensor> tensors) {
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> halves = new TreeMap<>();
            tensors.forEach((name, tensor) -> halves.put(name, tensor.detach().to(ScalarType.Half)));
            SafetensorsWriter.write(file, halves, Map.of("format", "pt"));
        }
    }
}
