package dev.diva.posttrain.run;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.TensorCache;
import dev.diva.data.DataCheck;
import dev.diva.data.DataProblem;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageSet;
import dev.diva.engine.Engine;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessGroup;
import dev.diva.engine.RandomStreams;
import dev.diva.feedback.DiffusionFeedback;
import dev.diva.hub.Address;
import dev.diva.hub.Models;
import dev.diva.model.TransformerConfig;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.train.Contract;
import dev.diva.train.DivergedException;
import dev.diva.train.Launch;
import dev.diva.train.Manifest;
import dev.diva.train.MemoryNeed;
import dev.diva.train.Objective;
import dev.diva.train.ParameterGroup;
import dev.diva.train.PreparedRun;
import dev.diva.train.RunFolder;
import dev.diva.train.RunPlan;
import dev.diva.train.Sharding;
import dev.diva.train.TrainListener;
import dev.diva.train.TrainSettings;
import dev.diva.train.TrainingRun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * A run from recipe to result: {@code open}, {@link #contract}, {@link #train}, and the result is in its folder. Everything that can be
 * wrong with the input is found before the folder is made.
 */
public final class PostTraining implements PreparedRun {
    private static final int CHECKED_IMAGES = 200;
    private static final String PROJECTION = "visual_proj.";

    private final TrainingModels models;
    private final Recipe recipe;
    private final Launch launch;
    private final ScoredModel scores; // or null
    private final Sharding sharding;
    private final boolean first; // whether this process writes
    private final List<String> notes = new ArrayList<>();
    private final ImageSet images;
    private final DataCheck dataCheck; // null when resumed, or on a further process
    private final Objective<ImageBatch> objective;
    private final TensorCache cache; // or null
    private final RunFolder folder;
    private final RunFiles files;
    private final TrainingRun run;

    private PostTraining(TrainingModels models, Launch launch, ProcessGroup processGroup, ScoredModel scores) {
        this.models = models;
        this.scores = scores;
        this.recipe = models.recipe();
        this.launch = launch;
        this.sharding = Sharding.of(
                processGroup, recipe.train().accumulate(), recipe.train().batch());
        this.first = processGroup.isFirst();
        if (recipe.latents() == Recipe.Latents.SHUFFLED) {
            sharding.requireWholeMicroBatches("recipe: latents: shuffled");
        }
        if (models.method().comparesImages()) {
            sharding.requireWholeMicroBatches(
                    "recipe: objective: " + recipe.objective().key());
        }
        List<DataProblem> problems = new ArrayList<>();
        requireMemory();
        this.images = ImageSet.open(recipe.images(), problems::add);
        noteLeftOut(problems);
        models.method().measure(images);
        this.objective = models.objective();
        this.dataCheck = launch.resume() || !first ? null : checked();
        this.cache = openCache(models);
        this.files = new RunFiles(launch.out());
        this.folder = RunFolder.open(
                launch,
                processGroup,
                () -> files.recipe().differences(models.tree().withoutSecrets()));
        models.problem().ifPresent(notes::add);
        models.assumptions().forEach(note -> notes.add("warning: " + note));
        this.run = TrainingRun.open(folder, launch.resume(), plan(), processGroup, models.hashes(), notes::add);
        problems.forEach(this::skip);
        if (first) {
            writeStart();
        }
    }

    /** A batch that is larger than the machine by far is told now, in the recipe's words. */
    private void requireMemory() {
        TransformerConfig layers = models.vision().tower().config().transformer();
        double size = models.vision().tower().config().imageSize();
        double tokens = models.vision().tower().config().numPatches() + 1;
        double pixels = 3 * (size * size + (double) recipe.resolution() * recipe.resolution());
        double kept = tokens * layers.hiddenSize() * layers.numHiddenLayers(); // for the backward pass, at least
        double batch = (double) recipe.train().batch() / sharding.ranksPerMicroBatch();
        double downscale = models.method().autoencoder().downscale();
        double latent = models.method().latentChannels() * Math.pow(recipe.resolution() / downscale, 2);
        MemoryNeed.require("resolution", recipe.resolution(), (pixels + kept) * Float.BYTES);
        MemoryNeed.require("train.draws", recipe.train().draws(), recipe.train().draws() * latent * Float.BYTES);
        MemoryNeed.require("train.batch", recipe.train().batch(), batch * (pixels + kept) * Float.BYTES);
    }

    private void noteLeftOut(List<DataProblem> problems) {
        if (!problems.isEmpty()) {
            notes.add("warning: " + problems.size() + " left out; the first: " + problems.get(0));
        }
        if (!images.notRead().isEmpty()) {
            notes.add("warning: " + images.notReadWords());
        }
        if (recipe.train().warmup() >= recipe.train().steps()) {
            notes.add("warning: the warm-up of " + recipe.train().warmup() + " steps (train.warmupSteps) is not shorter"
                    + " than the run of " + recipe.train().steps() + ": the learning rate never gets to train.lr");
        }
    }

    private void skip(DataProblem problem) {
        run.manifest().skip(problem.name(), problem.reason());
    }

    private RunPlan plan() {
        Recipe.Train train = recipe.train();
        TrainSettings settings = new TrainSettings(
                groups(),
                train.accumulate(),
                train.maxGradNorm() == null ? Double.NaN : train.maxGradNorm(),
                recipe.checkpoint().every(),
                recipe.lowMemory() && models.placement().precision() == Precision.BF16);
        RandomStreams streams = new RandomStreams(recipe.seed());
        streams.seed(DiffusionFeedback.STREAM, recipe.seed()); // as torch.manual_seed(seed) in the authors' code
        return new RunPlan(
                models.parameters(),
                settings,
                train.optimizerSettings(),
                streams,
                sharding,
                recipe.checkpoint().keep());
    }

    private List<ParameterGroup> groups() {
        ParameterGroup all =
                new ParameterGroup("", recipe.rates(), recipe.train().projectionSteps());
        return recipe.projection() == null
                ? List.of(all)
                : List.of(new ParameterGroup(PROJECTION, recipe.projectionRates(), 0, recipe.projectionEnd()), all);
    }

    /**
     * Prepares a run.
     *
     * @param models stay the caller's
     * @param processGroup that share the run; stay the caller's
     * @param scores held-out scores before, during and after, or null
     * @throws BadInputException when images, folder or recipe do not allow it
     */
    public static PostTraining open(
            TrainingModels models, Launch launch, ProcessGroup processGroup, ScoredModel scores) {
        return new PostTraining(models, launch, processGroup, scores);
    }

    private DataCheck checked() {
        DataCheck check =
                DataCheck.run(images, ImageDecoder.reference(), CHECKED_IMAGES, recipe.seed(), recipe.resolution());
        int bad = check.unreadable().size();
        if (bad == check.checked() || bad > recipe.maxBadShare() * check.checked()) {
            throw new BadInputException(bad + " of " + check.checked()
                    + " images cannot be read, more than the limit of " + recipe.maxBadShare()
                    + " (maxBadShare); the first: " + check.unreadable().get(0));
        }
        return check;
    }

    /** The cache of a recipe, or null. */
    private static TensorCache openCache(TrainingModels models) {
        Recipe recipe = models.recipe();
        if (recipe.cache() == null) {
            return null;
        }
        if (recipe.crops() == null && !recipe.crop().isFixed()) {
            throw new BadInputException(
                    "recipe: cache is useless while every epoch crops anew; set crops to the number of"
                            + " fixed crops of an image, for instance crops: 1");
        }
        return CacheFilling.open(
                Path.of(recipe.cache()),
                Autoencoders.identity(
                        models.method().autoencoderFiles(),
                        models.hashes(),
                        recipe.feedback().pixels(),
                        models.placement().precision()));
    }

    private void writeStart() {
        if (!launch.resume()) {
            AtomicFile.writeString(
                    folder.recipe(), models.tree().withoutSecrets().toYaml());
            AtomicFile.writeString(files.data(), DataReport.json(dataCheck));
        }
        Manifest manifest = run.manifest();
        if (!manifest.isDescribed()) {
            List<Path> inputs = new ArrayList<>(models.vision().files());
            inputs.addAll(models.method().files());
            inputs.addAll(launch.recipeFiles());
            recipe.guard().textsFile().ifPresent(inputs::add);
            ObjectNode facts = JsonNodeFactory.instance
                    .objectNode()
                    .put("preset", recipe.preset())
                    .put("objective", recipe.objective().key())
                    .put("seed", recipe.seed())
                    .put("average", recipe.average())
                    .put("precision", recipe.precision());
            Models.record(facts, models.tree().root(), "clip", "diffusion");
            manifest.describe(facts, inputs);
            manifest.describeData(
                    "images",
                    images.size(),
                    recipe.images().stream().map(Address::withoutSecrets).toList(),
                    images.localFiles(),
                    images.notRead());
            ObjectNode remote = JsonNodeFactory.instance.objectNode();
            images.remoteFiles()
                    .forEach(file -> remote.putObject(file.name())
                            .put("bytes", file.size())
                            .put("version", file.version()));
            manifest.describeRemote("images", remote);
            manifest.assume(models.assumptions());
        }
        run.begin(launch.arguments());
    }

    /** What is about to happen; times one pass through each model. */
    @Override
    public Contract contract() {
        long frozen = models.vision().tensors().values().stream()
                .filter(tensor -> !tensor.requires_grad())
                .mapToLong(Tensor::numel)
                .sum();
        return run.contract(PostTraining::part, Map.of("tower", frozen), StepTime.predict(models, cache != null));
    }

    private static String part(String parameter) {
        if (parameter.startsWith(PROJECTION)) {
            return "projection";
        }
        if (parameter.startsWith("denoiser.") || parameter.startsWith("project_")) {
            return parameter.startsWith("denoiser.") ? "denoiser" : "projectors";
        }
        if (parameter.contains(".lora_")) {
            return "tower, adapters";
        }
        return parameter.contains(".layers.") ? "tower, layers" : "tower, embeddings and head";
    }

    /** What the check of the images found, the choice of the checkpoint, memory that cannot be shared. */
    @Override
    public List<String> notes() {
        List<String> lines = new ArrayList<>(notes);
        if (dataCheck != null) {
            lines.addAll(DataReport.lines(dataCheck));
        }
        return lines;
    }

    @Override
    public long firstStep() {
        return run.firstStep();
    }

    @Override
    public long steps() {
        return recipe.train().steps();
    }

    /** Images that were left out so far. */
    @Override
    public int skipped() {
        return run.manifest().skippedCount();
    }

    /** How many files were passed over because of their suffix, by suffix. */
    public Map<String, Integer> notRead() {
        return images.notRead();
    }

    /** What the run is for: the CLIP, or what stage 2 starts from. */
    @Override
    public Path result() {
        return recipe.isFirstStage() ? files.stage1() : files.clip();
    }

    /** What the run leaves behind. */
    public RunFiles files() {
        return files;
    }

    @Override
    public void stop() {
        run.stop();
    }

    @Override
    public TrainListener.Outcome train(TrainListener watcher) {
        List<TrainListener> watchers = new ArrayList<>();
        Runnable result = this::writeResult;
        if (first && scores != null) {
            Evaluations evaluations = new Evaluations(
                    files,
                    models.vision(),
                    scores,
                    recipe.average(),
                    recipe.eval().every(),
                    run::measured);
            evaluations.before(Path.of(recipe.clip()));
            watchers.add(evaluations);
            result = () -> {
                writeResult();
                evaluations.after(recipe.train().steps());
            };
        }
        watchers.add(watcher);
        try (ImageBatches batches = batches()) {
            return run.train(objective, batches, watchers, result, models.vision()::relativeChange);
        } catch (DivergedException e) {
            models.method().refuseBroken();
            throw e;
        } finally {
            if (cache != null) {
                cache.flush();
            }
        }
    }

    private ImageBatches batches() {
        SamplePreparation preparation = new SamplePreparation(recipe, models.pixels(), true, cache);
        Latents latents = new Latents(models.method().autoencoder(), cache, recipe.resolution());
        return new ImageBatches(
                recipe,
                images,
                preparation,
                latents,
                models.vision().tower().config(),
                run.firstStep(),
                sharding,
                this::skip);
    }

    private void writeResult() {
        Engine.trimMemory(); // of activations and gradients, which are not needed any more
        models.method().write(files);
        if (!recipe.isFirstStage()) {
            models.vision().export(files.clip(), true, recipe.average());
            if (models.vision().hasAdapter()) {
                models.vision().exportAdapter(files.adapter(), recipe.average());
            }
        }
    }

    @Override
    public void close() {
        run.close();
        if (cache != null) {
            cache.close();
        }
        folder.close();
    }
}
