package dev.diva.mllm.train;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.data.SampleOrder;
import dev.diva.engine.Engine;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessGroup;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.hub.Models;
import dev.diva.mllm.LlavaFolder;
import dev.diva.mllm.LlavaResult;
import dev.diva.mllm.TrainableLlava;
import dev.diva.train.Contract;
import dev.diva.train.DivergedException;
import dev.diva.train.Launch;
import dev.diva.train.Manifest;
import dev.diva.train.MemoryNeed;
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
import java.util.function.LongToIntFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.global.torch;

/**
 * A stage from recipe to result: {@code open}, {@link #contract}, {@link #train}, and the result is in its folder. Everything that can be wrong with
 * the input is found before the folder is made.
 */
public final class StageRun implements PreparedRun {
    private static final String LANGUAGE = "language model";
    private static final int TIMED_TOKENS = 64;
    private static final int TIMED_PASSES = 2;

    private final StageInputs inputs;
    private final StageRecipe recipe;
    private final Launch launch;
    private final Sharding sharding;
    private final boolean first; // whether this process writes
    private final List<String> notes = new ArrayList<>();
    private final RunFolder folder;
    private final TrainingRun run;
    private int lost; // images that were found to be unreadable

    private StageRun(StageInputs inputs, Launch launch, ProcessGroup processGroup) {
        this.inputs = inputs;
        this.recipe = inputs.recipe();
        this.launch = launch;
        this.sharding = Sharding.of(
                processGroup, recipe.train().accumulate(), recipe.train().batch());
        this.first = processGroup.isFirst();
        double states = (double) inputs.model().imageTokens()
                * inputs.model().language().config().hiddenSize();
        MemoryNeed.require("train.batch", recipe.train().batch(), recipe.train().batch() * states * Float.BYTES);
        notes.addAll(inputs.notes());
        notes.addAll(DataReport.ofTexts(
                inputs.data(), inputs.labelling(), inputs.model().imageTokens()));
        this.folder = RunFolder.open(
                launch, processGroup, () -> StageKeys.ofRun(launch.out()).differences(inputs.keys()));
        try {
            this.run = TrainingRun.open(folder, launch.resume(), plan(), processGroup, inputs.hashes(), notes::add);
        } catch (RuntimeException e) {
            folder.close();
            throw e;
        }
        if (first) {
            writeStart();
        }
    }

    /**
     * Prepares a run.
     *
     * @param inputs stay the caller's
     * @param processGroup that share the run; stay the caller's
     * @throws BadInputException when data, folder or recipe do not allow it
     */
    public static StageRun open(StageInputs inputs, Launch launch, ProcessGroup processGroup) {
        return new StageRun(inputs, launch, processGroup);
    }

    private RunPlan plan() {
        StageRecipe.Train train = recipe.train();
        List<ParameterGroup> groups = recipe.stage() == StageRecipe.Stage.PROJECTOR
                ? List.of(new ParameterGroup("", train.projectorRates(), 0))
                : List.of(
                        new ParameterGroup(TrainableLlava.projectorPrefix(), train.projectorRates(), 0),
                        new ParameterGroup("", train.rates(), 0));
        TrainSettings settings = new TrainSettings(
                groups,
                train.accumulate(),
                train.maxGradNorm() == null ? Double.NaN : train.maxGradNorm(),
                recipe.checkpoint().every(),
                recipe.lowMemory() && inputs.placement().precision() == Precision.BF16);
        return new RunPlan(
                inputs.model().parameters(),
                settings,
                train.optimizer(),
                new RandomStreams(recipe.seed()),
                sharding,
                recipe.checkpoint().keep());
    }

    private void writeStart() {
        if (!launch.resume()) {
            AtomicFile.writeString(folder.recipe(), inputs.keys().toYaml());
        }
        Manifest manifest = run.manifest();
        if (!manifest.isDescribed()) {
            List<Path> files = new ArrayList<>(inputs.model().files());
            files.addAll(launch.recipeFiles());
            ObjectNode facts = JsonNodeFactory.instance
                    .objectNode()
                    .put("stage", inputs.keys().root().path("stage").asText())
                    .put("seed", recipe.seed())
                    .put("precision", recipe.precision());
            Models.record(facts, inputs.keys().root(), "llava", "base", "tower");
            manifest.describe(facts, files);
            manifest.describeData(
                    "data",
                    inputs.data().size(),
                    List.of(recipe.data()),
                    List.of(inputs.data().path()),
                    Map.of());
        }
        run.begin(launch.arguments());
    }

    /** What is about to happen; times one pass through the language model. */
    @Override
    public Contract contract() {
        return run.contract(StageRun::part, Map.of(LANGUAGE, inputs.model().frozen()), secondsPerStep());
    }

    private static String part(String parameter) {
        if (TrainableLlava.isProjector(parameter)) {
            return "projector";
        }
        return parameter.contains(".lora_") ? LANGUAGE + ", adapters" : LANGUAGE;
    }

    /** Of a pass over an image and a short text; the backward pass of a frozen matrix is one product, of a trained one two. */
    private double secondsPerStep() {
        long width = inputs.model().language().config().hiddenSize();
        long places = Math.min(inputs.model().imageTokens() + TIMED_TOKENS, recipe.maxLength());
        double passes = recipe.trainable().mode() == StageRecipe.Trainable.Mode.FULL ? 3 : 2;
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            var tokens = Tensors.onto(
                    torch.zeros(1, places, width),
                    inputs.placement().device(),
                    inputs.placement().precision().dtype());
            double seconds = 0;
            for (int i = 0; i < TIMED_PASSES; i++) { // the first one wakes threads and kernels
                long started = System.nanoTime();
                var unused = inputs.model().language().forward(tokens, null);
                seconds = (System.nanoTime() - started) * 1e-9;
            }
            return passes * seconds * recipe.train().batch() * recipe.train().accumulate();
        }
    }

    /** What is worth a word: samples that are left out, cut or not learnt, the choice of the checkpoint. */
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

    /** Samples of which nothing was learnt so far. */
    @Override
    public int skipped() {
        return run.manifest().skippedCount();
    }

    /** What the stage leaves: a LLaVA, or a part of one. */
    @Override
    public Path result() {
        return launch.out().resolve(LlavaFolder.RESULT);
    }

    @Override
    public void stop() {
        run.stop();
    }

    @Override
    public TrainListener.Outcome train(TrainListener watcher) {
        try {
            return run.train(inputs.objective(), batches(), List.of(watcher), this::writeResult);
        } catch (DivergedException e) {
            inputs.model().refuseBroken();
            throw e;
        }
    }

    private ConversationBatches batches() {
        TrainableLlava model = inputs.model();
        return new ConversationBatches(
                inputs.data(),
                order(),
                inputs.labelling(),
                model.imageTokens(),
                new ConversationBatches.Pixels(
                        recipe.imageAspect().aspect(),
                        model.tower().preprocessing(),
                        model.tower().tower().config().imageSize()),
                sharding,
                this::skip);
    }

    private LongToIntFunction order() {
        int count = inputs.data().size();
        return switch (recipe.order()) {
            case FILE -> new SampleOrder(count, recipe.seed(), false)::index;
            case RANDOM -> new SampleOrder(count, recipe.seed(), true)::index;
            case GROUPED ->
                new GroupedOrder(
                        inputs.data().lengths(),
                        recipe.train().batch(),
                        recipe.train().accumulate(),
                        recipe.seed());
        };
    }

    /** Unreadable images are found as they are met. */
    private void skip(String name, String reason, boolean isUnreadable) {
        int before = skipped();
        run.manifest().skip(name, reason);
        boolean isNew = skipped() > before;
        if (isUnreadable
                && isNew
                && ++lost > recipe.maxBadShare() * inputs.data().size()) {
            throw new BadInputException(lost + " images cannot be read, more than the limit of " + recipe.maxBadShare()
                    + " of " + inputs.data().size() + " samples (--max-bad-share); the last: " + name + ": " + reason
                    + ". Mend it and go on with --resume");
        }
    }

    private void writeResult() {
        Engine.trimMemory(); // of activations and gradients, which are not needed any more
        LlavaResult result = new LlavaResult(inputs.model());
        StageRecipe.Trainable trainable = recipe.trainable();
        if (recipe.output() == StageRecipe.Output.MERGED) {
            result.writeMerged(result());
        } else if (trainable.mode() == StageRecipe.Trainable.Mode.LORA) {
            result.writeAdapter(result(), trainable.alpha(), trainable.dropout(), trainable.targets());
        } else {
            result.writeProjector(result());
        }
    }

    @Override
    public void close() {
        run.close();
        folder.close();
    }
}
