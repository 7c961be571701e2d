package dev.diva.segment.train;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.KeyFile;
import dev.diva.TextFile;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.clip.Clip;
import dev.diva.data.DataProblem;
import dev.diva.engine.Engine;
import dev.diva.engine.Gpu;
import dev.diva.engine.ProcessGroup;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.eval.segmentation.Layout;
import dev.diva.eval.segmentation.SegmentationSet;
import dev.diva.hub.Models;
import dev.diva.segment.San;
import dev.diva.segment.SanPixels;
import dev.diva.segment.TextClasses;
import dev.diva.train.Contract;
import dev.diva.train.DivergedException;
import dev.diva.train.FileHashes;
import dev.diva.train.Launch;
import dev.diva.train.Manifest;
import dev.diva.train.OptimizerSettings;
import dev.diva.train.PreparedRun;
import dev.diva.train.RecipeKeys;
import dev.diva.train.RunFolder;
import dev.diva.train.RunPlan;
import dev.diva.train.Sharding;
import dev.diva.train.TrainListener;
import dev.diva.train.TrainSettings;
import dev.diva.train.TrainingRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The training of a SAN from recipe to result: {@code open}, {@link #contract}, {@link #train}, and the SAN is in the run's folder. Everything
 * that can be wrong with the input is found before the folder is made.
 */
public final class SanTraining implements PreparedRun {
    /** Tables, queries and the norms of the side network's layers; the norms of the fusion decay, as in the authors' code. */
    private static final Pattern UNDECAYED =
            Pattern.compile(".*(pos_embed|positional_embedding|query_embed)|.*\\.blocks\\.\\d+\\.norm[12]\\..*");

    private static final String OWN_SET = "set.yaml";

    private final SanRecipe recipe;
    private final RecipeKeys keys;
    private final Launch launch;
    private final ProcessGroup processGroup;
    private final Clip clip;
    private final SegmentationSet set;
    private final San san;
    private final Tensor classes; // [classes, embedding]
    private final List<String> notes = new ArrayList<>();
    private final Sharding sharding;
    private final ViewCache cache; // or null
    private final GivenPoints points; // or null
    private final FileHashes hashes = new FileHashes();
    private final RunFolder folder;
    private final TrainingRun run;

    private SanTraining(
            RecipeKeys keys, SanRecipe recipe, Launch launch, ProcessGroup processGroup, Clip clip, San san) {
        this.keys = keys;
        this.recipe = recipe;
        this.launch = launch;
        this.processGroup = processGroup;
        this.clip = clip;
        this.san = san;
        this.sharding = Sharding.of(
                processGroup, recipe.train().accumulate(), recipe.train().batch());
        sharding.requireWholeMicroBatches("SAN's class loss");
        this.set = LabelCheck.open(recipe, processGroup.isFirst() && !launch.resume(), notes);
        san.grid(
                SanPixels.padded(recipe.crop()),
                SanPixels.padded(recipe.crop())); // refuses a crop that leaves CLIP nothing
        this.classes = Scopes.keep(vectors());
        this.cache =
                recipe.cache() == null ? null : new ViewCache(Path.of(recipe.cache()), san, recipe.clipPrecision());
        this.points = recipe.draws() == null
                ? null
                : GivenPoints.open(
                        Path.of(recipe.draws()),
                        (long) recipe.train().steps() * recipe.train().accumulate());
        note();
        this.folder = RunFolder.open(launch, processGroup, this::differences);
        this.run = TrainingRun.open(folder, launch.resume(), plan(), processGroup, hashes, notes::add);
        if (processGroup.isFirst()) {
            writeStart();
        }
    }

    /**
     * Prepares a run.
     *
     * @param keys of {@link SanRecipe#published} with others over them
     * @param processGroup that share the run; stay the caller's
     * @throws dev.diva.BadInputException when models, data, folder or recipe do not allow it
     */
    public static SanTraining open(RecipeKeys keys, Launch launch, ProcessGroup processGroup) {
        SanRecipe recipe = keys.as(SanRecipe.class);
        recipe.requireMemory();
        Clip clip = Clip.load(
                Path.of(recipe.clip()),
                new Clip.Options(recipe.clipPrecision(), recipe.threads(), 16, null)
                        .withFormat(recipe.format())
                        .withDevice(recipe.device()));
        try {
            San.requireClassToken(clip);
            San san = San.trained(
                    recipe.start() == null ? null : Path.of(recipe.start()),
                    recipe.seed(),
                    recipe.settings(clip.config().vision()),
                    recipe.shape(),
                    clip,
                    !recipe.freezePositions());
            try {
                return new SanTraining(keys, recipe, launch, processGroup, clip, san);
            } catch (RuntimeException e) {
                san.close();
                throw e;
            }
        } catch (RuntimeException e) {
            clip.close();
            throw e;
        }
    }

    private Tensor vectors() {
        try (PointerScope scope = new PointerScope()) {
            return Scopes.keep(
                    Tensors.ofRows(new TextClasses().vectors(clip, set.layout().classes())));
        }
    }

    private void note() {
        notes.addAll(clip.notes());
        set.warnings().forEach(warning -> notes.add("warning: " + warning));
        if (recipe.freezePositions()) {
            notes.add("CLIP's table of positions does not learn: not the published recipe");
        }
        if (points != null) {
            notes.add("points are those of " + recipe.draws() + ", not drawn from the seed");
        }
        if (cache != null) {
            cache.damaged().forEach(line -> notes.add("warning: " + line));
        }
        float scale = Tensors.toFloats(san.tensors().get("side_adapter_network.mask_decoder.bias_scaling.weight"))[0];
        notes.add("the attention biases are scaled by " + scale + " at the start: the sign of new weights is chance");
    }

    private List<String> differences() {
        Path stored = RunFolder.recipeOf(launch.out());
        RecipeKeys begun = SanRecipe.published().with(KeyFile.read(stored), stored.toString());
        List<String> differences =
                new ArrayList<>(begun.differences(keys, key -> SanRecipe.decides(key) && !key.equals("set")));
        String before = begun.root().path("set").asText();
        Path kept = launch.out().resolve(OWN_SET);
        boolean isKept = Files.exists(kept); // not by earlier versions
        if (!Layout.named(isKept ? kept.toString() : before).equals(set.layout())) {
            differences.add(
                    before.equals(recipe.set())
                            ? "set: " + before + " was changed since, " + kept + " is as it was"
                            : "set: " + before + ", now " + recipe.set());
        }
        return differences;
    }

    /** An own set stays with the run: its file may change. */
    private void keepSet() {
        Path kept = folder.path().resolve(OWN_SET);
        if (Layout.isFile(recipe.set()) && !Files.exists(kept)) {
            AtomicFile.writeString(kept, TextFile.read(Path.of(recipe.set())));
        }
    }

    private RunPlan plan() {
        SanRecipe.Train train = recipe.train();
        double maxGradNorm = train.maxGradNorm() == null ? Double.NaN : train.maxGradNorm();
        return new RunPlan(
                san.parameters(),
                new TrainSettings(
                        train.rates(),
                        train.accumulate(),
                        maxGradNorm,
                        recipe.checkpoint().every()),
                optimizer(train, san.parameters().keySet()),
                new RandomStreams(recipe.seed()),
                sharding,
                recipe.checkpoint().keep());
    }

    /** AdamW with the decay of SAN's authors. */
    static OptimizerSettings optimizer(SanRecipe.Train train, Set<String> parameters) {
        Set<String> undecayed = parameters.stream()
                .filter(name -> UNDECAYED.matcher(name).matches())
                .collect(Collectors.toSet());
        return new OptimizerSettings.AdamW(
                train.betas().get(0), train.betas().get(1), train.eps(), train.weightDecay(), undecayed);
    }

    private void writeStart() {
        if (!launch.resume()) {
            AtomicFile.writeString(folder.recipe(), keys.toYaml());
        }
        keepSet();
        Manifest manifest = run.manifest();
        if (!manifest.isDescribed()) {
            List<Path> inputs = new ArrayList<>(launch.recipeFiles());
            inputs.add(clip.file());
            if (recipe.start() != null && Files.isRegularFile(Path.of(recipe.start()))) {
                inputs.add(Path.of(recipe.start()));
            }
            if (Layout.isFile(recipe.set())) {
                inputs.add(Path.of(recipe.set()));
            }
            if (points != null) {
                inputs.add(Path.of(recipe.draws()));
            }
            ObjectNode facts = JsonNodeFactory.instance
                    .objectNode()
                    .put("objective", "san")
                    .put("seed", recipe.seed())
                    .put("precision", recipe.clipPrecision().name())
                    .put("clipImageTower", clip.imageTower());
            Models.record(facts, keys.root(), "clip");
            manifest.describe(facts, inputs);
            manifest.describeData(
                    "pictures",
                    set.pairs().size(),
                    List.of(recipe.data(), recipe.set()),
                    set.pairs().stream()
                            .flatMap(pair -> Stream.of(pair.image(), pair.label()))
                            .toList(),
                    Map.of());
        }
        run.begin(launch.arguments());
    }

    /** What is about to happen; times one pass over one crop. */
    @Override
    public Contract contract() {
        long frozen = clip.stored().tensors().stream()
                .filter(info -> info.name().startsWith("vision_model."))
                .mapToLong(info -> info.numel())
                .sum();
        double passes = 3.0 * recipe.train().batch() * recipe.train().accumulate(); // forward, and twice that back
        return run.contract(SanTraining::part, Map.of("CLIP", frozen), passes * secondsOfAPass());
    }

    private double secondsOfAPass() {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            long side = SanPixels.padded(recipe.crop());
            Tensor pixels = torch.zeros(new long[] {1, 3, side, side}, new TensorOptions(ScalarType.Float));
            long started = System.nanoTime();
            san.forward(pixels, TextClasses.withBackground(classes, san.background()));
            Gpu.synchronize(san.positions().device());
            return (System.nanoTime() - started) * 1e-9;
        }
    }

    private static String part(String parameter) {
        if (parameter.startsWith("side_adapter_network.mask_decoder")) {
            return "mask decoder";
        }
        return parameter.startsWith("side_adapter_network") ? "side network" : "background, CLIP's positions";
    }

    /** What was found in the data, assumed of the models, and drawn. */
    @Override
    public List<String> notes() {
        return List.copyOf(notes);
    }

    @Override
    public long firstStep() {
        return run.firstStep();
    }

    @Override
    public long steps() {
        return recipe.train().steps();
    }

    /** Pictures that were left out so far. */
    @Override
    public int skipped() {
        return run.manifest().skippedCount();
    }

    /** What the run is for: a folder for {@code --san}. */
    @Override
    public Path result() {
        return San.inRun(launch.out());
    }

    @Override
    public void stop() {
        run.stop();
    }

    @Override
    public TrainListener.Outcome train(TrainListener watcher) {
        SanObjective objective = new SanObjective(
                san,
                !recipe.freezePositions(),
                classes,
                new SanLoss(recipe.points()),
                points == null ? SanObjective.seeded(recipe.seed()) : points);
        try (SanBatches batches = new SanBatches(recipe, set, san, sharding, processGroup, cache, this::skip)) {
            return run.train(objective, batches, List.of(watcher), this::writeResult);
        } catch (DivergedException e) {
            san.refuseBroken();
            throw e;
        }
    }

    private void writeResult() {
        Engine.trimMemory();
        san.write(result());
    }

    private void skip(DataProblem problem) {
        run.manifest().skip(problem.name(), problem.reason());
    }

    @Override
    public void close() {
        run.close();
        folder.close();
        hashes.close();
        if (cache != null) {
            cache.close();
        }
        if (points != null) {
            points.close();
        }
        Scopes.release(classes);
        san.close();
        clip.close();
    }
}
