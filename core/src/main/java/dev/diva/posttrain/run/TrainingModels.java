package dev.diva.posttrain.run;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AdapterDropout;
import dev.diva.checkpoint.ConvertedWeights;
import dev.diva.checkpoint.LowRank;
import dev.diva.clip.TrainedPart;
import dev.diva.clip.VisionModel;
import dev.diva.diffusion.Autoencoder;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Engine;
import dev.diva.engine.Gpu;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.feedback.EmbeddingGuard;
import dev.diva.feedback.GuardTexts;
import dev.diva.feedback.TrainingPixels;
import dev.diva.posttrain.recipe.Fit;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.train.FileHashes;
import dev.diva.train.Objective;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** The models of a recipe, loaded and checked against each other, and the recipe with everything filled in that they decide. */
public final class TrainingModels implements AutoCloseable {
    private final Deque<Runnable> closing = new ArrayDeque<>();
    private final FileHashes hashes = closed(new FileHashes());
    private final RecipeTree tree;
    private final Recipe recipe;
    private final Placement placement;
    private final ConvertedWeights converted; // or null
    private final VisionModel vision;
    private final Method method;

    private TrainingModels(RecipeTree given) {
        Recipe asked = given.recipe();
        Fit.require(asked);
        Engine.setThreads(asked.threads());
        this.placement = placement(asked);
        this.converted = asked.weightsCache() == null ? null : new ConvertedWeights(Path.of(asked.weightsCache()));
        boolean hasTeacher = asked.objective() != Recipe.ObjectiveName.GENHANCER;
        CompletableFuture<DiffusionModel> loading =
                CompletableFuture.supplyAsync(() -> hasTeacher ? teacher(asked) : null);
        AdapterDropout dropout = dropout(asked);
        this.vision =
                closed(VisionModel.load(Path.of(asked.clip()), asked.format(), placement, trainedPart(asked, dropout)));
        requireLayers(asked);
        vision.broken()
                .ifPresent(
                        line -> { // or it would be told as a rate that is too high, or at the end
                            throw new BadInputException(line);
                        });
        this.method = closed(Method.of(asked, vision, dropout, joined(loading), placement));
        this.tree = resolved(given);
        this.recipe = tree.recipe();
        requireOwnRatios();
        requireSizes();
        method.open(recipe);
        if (recipe.lowMemory()) {
            Engine.trimMemory(); // of files as they were stored, and of the text encoder
        }
    }

    /**
     * Loads the models.
     *
     * @param recipe with every path given
     * @throws BadInputException when a model is damaged, or the recipe or the models contradict each other
     */
    public static TrainingModels load(RecipeTree recipe) {
        try (PointerScope scope = new PointerScope()) {
            return new TrainingModels(recipe);
        }
    }

    private DiffusionModel teacher(Recipe asked) {
        Placement where = asked.objective() == Recipe.ObjectiveName.DCR
                ? DcrMethod.teacherPlacement(asked, placement)
                : placement;
        DiffusionModel loaded = DiffusionModel.load(Path.of(asked.diffusion()), where, converted);
        try {
            loaded.denoiser();
            return loaded;
        } catch (RuntimeException e) {
            loaded.close();
            throw e;
        }
    }

    /** Both models load at once: either takes seconds, on one core. */
    private static DiffusionModel joined(CompletableFuture<DiffusionModel> loading) {
        try {
            return loading.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    private <T extends AutoCloseable> T closed(T part) {
        closing.push(() -> {
            try {
                part.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        return part;
    }

    static Placement placement(Recipe recipe) {
        Gpu.useTf32(recipe.device(), recipe.tf32());
        return Placement.of(recipe.device(), recipe.precision(), recipe.lowMemory());
    }

    /** Of the adapters, or null where the recipe has none. */
    private static AdapterDropout dropout(Recipe recipe) {
        Double share = recipe.trainable().dropout();
        boolean hasAdapters = recipe.trainable().mode() == Recipe.Trainable.Mode.LORA && !recipe.isFirstStage();
        return share == null || share == 0 || !hasAdapters ? null : new AdapterDropout(share);
    }

    private static TrainedPart trainedPart(Recipe recipe, AdapterDropout dropout) {
        if (recipe.isFirstStage()) {
            return TrainedPart.nothing();
        }
        Recipe.Trainable trainable = recipe.trainable();
        return switch (trainable.mode()) {
            case FULL -> TrainedPart.full();
            case BLOCKS -> TrainedPart.lastBlocks(trainable.lastBlocks());
            case LORA ->
                TrainedPart.adapters(new LowRank.Plan(
                        trainable.rank(),
                        trainable.alpha(),
                        TrainedPart.layersNamed(Set.copyOf(trainable.targets())),
                        new RandomStreams(recipe.seed()).stream("lora"),
                        Boolean.TRUE.equals(trainable.biases()),
                        dropout));
        };
    }

    private void requireLayers(Recipe asked) {
        int layers = vision.tower().config().transformer().numHiddenLayers();
        if (asked.trainable().mode() == Recipe.Trainable.Mode.BLOCKS
                && asked.trainable().lastBlocks() > layers) {
            throw new BadInputException("recipe: trainable.lastBlocks is "
                    + asked.trainable().lastBlocks() + ", the tower has " + layers + " layers");
        }
        long width = vision.tower().config().transformer().hiddenSize();
        if (asked.trainable().mode() == Recipe.Trainable.Mode.LORA
                && asked.trainable().rank() > width) {
            throw new BadInputException("recipe: trainable.rank is "
                    + asked.trainable().rank() + ", expected at most " + width + ", the width of the tower's layers");
        }
    }

    private RecipeTree resolved(RecipeTree given) {
        ObjectNode keys = given.root().objectNode();
        keys.put("precision", placement.precision() == Precision.BF16 ? "bf16" : "fp32");
        method.resolve(keys);
        return given.with(keys, "recipe");
    }

    private void requireSizes() {
        requireResolution(recipe, method.autoencoder(), method.latentMultiple(), method.largestLatent());
        if (recipe.latents() == Recipe.Latents.SHUFFLED && recipe.train().batch() < 2) {
            throw new BadInputException("recipe: latents: shuffled needs train.batch of 2 or more");
        }
    }

    /** Pictures that keep their ratio have tokens of different numbers, and are not computed at once. */
    private void requireOwnRatios() {
        if (!vision.tower().config().form().flexible()) {
            return;
        }
        String clip = "recipe: clip " + recipe.clip()
                + " is a SigLIP 2 NaFlex, whose tower sees each picture at its own ratio; ";
        if (method.comparesImages() || recipe.latents() == Recipe.Latents.SHUFFLED) {
            throw new BadInputException(clip + "it takes one at a time, and "
                    + (method.comparesImages() ? recipe.objective().key() : "latents: shuffled")
                    + " needs several: take a SigLIP 2 of a fixed size");
        }
        if (recipe.train().batch() != 1) {
            throw new BadInputException(clip + "set train.batch: 1 (found "
                    + recipe.train().batch() + ") and train.accumulate to the pictures of an update");
        }
        if (recipe.feedback().pixels() == Recipe.Feedback.Pixels.PUBLISHED) {
            throw new BadInputException(clip + "set feedback.pixels: corrected (found published, which are squares)");
        }
    }

    /**
     * Refuses a resolution that the models do not take.
     *
     * @param patch what height and width of a latent must be a multiple of
     * @param largest height and width of a latent at most
     */
    static void requireResolution(Recipe recipe, Autoencoder autoencoder, long patch, long largest) {
        long downscale = autoencoder.downscale();
        if (recipe.resolution() / downscale > largest) {
            throw new BadInputException("recipe: resolution is " + recipe.resolution() + ", expected at most "
                    + largest * downscale + ", the largest images that the denoiser of " + recipe.diffusion()
                    + " has positions for");
        }
        if (recipe.resolution() % (downscale * patch) != 0) {
            throw new BadInputException("recipe: resolution is " + recipe.resolution() + ", expected a multiple of "
                    + downscale * patch + ", by which the autoencoder" + (patch == 1 ? "" : " and the patches")
                    + " of " + recipe.diffusion() + (patch == 1 ? " shrinks" : " shrink"));
        }
    }

    /** The objective of the recipe. */
    Objective<ImageBatch> objective() {
        return method.objective(recipe.guard().isOn() ? guard() : null);
    }

    private EmbeddingGuard guard() {
        GuardTexts texts = recipe.guard()
                .textsFile()
                .map(file -> closed(GuardTextsFile.read(file, recipe, placement.device())))
                .orElse(null);
        VisionModel original =
                closed(VisionModel.load(Path.of(recipe.clip()), recipe.format(), placement, TrainedPart.nothing()));
        return new EmbeddingGuard(
                vision.tower(), original.tower(), recipe.guard().weight(), texts);
    }

    /** What the two models see of a crop. */
    TrainingPixels pixels() {
        return TrainingPixels.of(
                recipe.feedback().pixels() == Recipe.Feedback.Pixels.PUBLISHED, vision.preprocessing());
    }

    /** Everything that learns: the tower's masters, then the method's. */
    Map<String, Tensor> parameters() {
        Map<String, Tensor> parameters = new LinkedHashMap<>(vision.parameters());
        parameters.putAll(method.parameters());
        return parameters;
    }

    /** The recipe with nothing left open. */
    public RecipeTree tree() {
        return tree;
    }

    /** The same, typed. */
    public Recipe recipe() {
        return recipe;
    }

    /** What went wrong without harm. */
    Optional<String> problem() {
        return Optional.ofNullable(converted).flatMap(ConvertedWeights::problem);
    }

    /** What was assumed because no file tells it, or passed over: a line each. */
    List<String> assumptions() {
        List<String> assumptions = new ArrayList<>(vision.notes());
        assumptions.addAll(method.notes());
        return assumptions;
    }

    VisionModel vision() {
        return vision;
    }

    Method method() {
        return method;
    }

    /** Of files, each computed once. */
    FileHashes hashes() {
        return hashes;
    }

    public Placement placement() {
        return placement;
    }

    @Override
    public void close() {
        while (!closing.isEmpty()) {
            closing.pop().run();
        }
    }
}
