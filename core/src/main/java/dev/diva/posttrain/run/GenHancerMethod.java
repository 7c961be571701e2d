package dev.diva.posttrain.run;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.diffusion.Autoencoder;
import dev.diva.diffusion.AutoencoderModel;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.FlowSampler;
import dev.diva.diffusion.Sampler;
import dev.diva.diffusion.flux.FluxConfig;
import dev.diva.diffusion.flux.FluxDenoiser;
import dev.diva.engine.Placement;
import dev.diva.feedback.EmbeddingGuard;
import dev.diva.feedback.ImageCondition;
import dev.diva.feedback.LogitNormalLevels;
import dev.diva.feedback.RectifiedFlow;
import dev.diva.objective.TowerEmbedding;
import dev.diva.objective.genhancer.GenHancer;
import dev.diva.posttrain.recipe.FluxShape;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.train.Objective;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** GenHancer: a denoiser from scratch behind a frozen autoencoder; stage 1 makes it, stage 2 trains the tower with it. */
final class GenHancerMethod implements Method {
    private final Recipe recipe;
    private final TowerEmbedding tower;
    private final Placement placement;
    private final AutoencoderModel autoencoder;
    private final FirstStage stage1; // null in stage 1
    private final GenHancer genHancer;

    GenHancerMethod(Recipe recipe, TowerEmbedding tower, Placement placement) {
        this.recipe = recipe;
        this.tower = tower;
        this.placement = placement;
        this.stage1 = recipe.isFirstStage() ? null : FirstStage.of(recipe);
        this.autoencoder = AutoencoderModel.load(Path.of(recipe.diffusion()), placement);
        GenHancer loaded = null;
        try {
            loaded = stage1 == null ? random() : load();
            requireMade(loaded.model().denoiser().config());
        } catch (RuntimeException e) {
            if (loaded != null) {
                loaded.close();
            }
            autoencoder.close();
            throw e;
        }
        this.genHancer = loaded;
    }

    private GenHancer random() {
        FluxShape made = recipe.denoiser().or(shape(FluxConfig.published()));
        FluxConfig config;
        try {
            config = FluxConfig.of(
                    autoencoder.autoencoder().shape().latentChannels(),
                    made.vector(),
                    made.token(),
                    made.width(),
                    made.heads(),
                    made.doubleBlocks(),
                    made.singleBlocks());
        } catch (BadInputException e) {
            throw new BadInputException("recipe: denoiser.width, heads, double, single: " + e.getMessage(), e);
        }
        return GenHancer.random(config, tower.width(), recipe.seed(), placement);
    }

    private GenHancer load() {
        stage1.requireTower(tower, placement);
        return FirstStage.read(
                recipe,
                () -> GenHancer.load(
                        stage1.files(),
                        stage1.projectors(),
                        tower.width(),
                        placement,
                        recipe.denoiser().learns()));
    }

    private void requireMade(FluxConfig config) {
        FluxShape made = shape(config);
        FluxShape both = recipe.denoiser().or(made);
        if (!Objects.equals(both, made)) {
            throw new BadInputException("recipe: denoiser is " + words(both) + ", that of " + recipe.stage1() + " is "
                    + words(made) + "; leave its keys out in stage 2");
        }
        long channels = autoencoder.autoencoder().shape().latentChannels();
        if (config.latentChannels() != channels) {
            throw new BadInputException("recipe: the denoiser reads latents of " + config.latentChannels()
                    + " channels, " + recipe.diffusion() + " makes " + channels
                    + "; diffusion is the autoencoder of stage 1, as published that of FLUX.1");
        }
    }

    private FluxShape shape(FluxConfig config) {
        return new FluxShape(
                config.hiddenSize(),
                config.numHeads(),
                config.contextDim(),
                config.vectorDim(),
                config.depth(),
                config.depthSingle(),
                recipe.denoiser().learns());
    }

    private static String words(FluxShape shape) {
        return "width " + shape.width() + ", heads " + shape.heads() + ", token " + shape.token() + ", vector "
                + shape.vector() + ", double " + shape.doubleBlocks() + ", single " + shape.singleBlocks();
    }

    @Override
    public void resolve(ObjectNode keys) {
        FluxShape made = shape(denoiser().config());
        keys.putObject("denoiser")
                .put("width", made.width())
                .put("heads", made.heads())
                .put("token", made.token())
                .put("vector", made.vector())
                .put("double", made.doubleBlocks())
                .put("single", made.singleBlocks());
    }

    @Override
    public void open(Recipe resolved) {}

    @Override
    public FluxDenoiser denoiser() {
        return genHancer.model().denoiser();
    }

    @Override
    public ImageCondition condition() {
        return genHancer.condition(tower);
    }

    @Override
    public Sampler sampler(int steps) {
        return new FlowSampler(steps);
    }

    @Override
    public Autoencoder autoencoder() {
        return autoencoder.autoencoder();
    }

    @Override
    public long latentMultiple() {
        return FluxDenoiser.PATCH;
    }

    @Override
    public List<Path> files() {
        List<Path> files = new ArrayList<>(autoencoder.files());
        if (stage1 != null) {
            files.addAll(stage1.all());
        }
        return files;
    }

    @Override
    public List<String> notes() {
        List<String> notes = new ArrayList<>(autoencoder.notes());
        notes.addAll(genHancer.model().notes());
        return notes;
    }

    @Override
    public List<Path> autoencoderFiles() {
        return autoencoder.files();
    }

    @Override
    public Map<String, Tensor> parameters() {
        return genHancer.parameters();
    }

    @Override
    public Objective<ImageBatch> objective(EmbeddingGuard guard) {
        RectifiedFlow noise = new RectifiedFlow(
                new LogitNormalLevels(recipe.levels().mean(), recipe.levels().std()));
        return FeedbackObjective.of(
                genHancer.feedback(tower, noise, guard, FeedbackObjective.settings(recipe)), this, recipe);
    }

    @Override
    public Passes passes() {
        double each = denoiser().learns() ? Passes.TRAINED : Passes.FROZEN;
        return new Passes(recipe.train().draws() * each, recipe.isFirstStage() ? 1 : Passes.TRAINED);
    }

    @Override
    public void denoise(Tensor latents) {
        long batch = latents.size(0);
        denoiser()
                .predict(
                        latents,
                        torch.zeros(batch),
                        new Condition(
                                torch.zeros(batch, 1, denoiser().crossAttentionDim()),
                                torch.zeros(batch, denoiser().vectorDim())));
    }

    @Override
    public void write(RunFiles files) {
        if (recipe.isFirstStage()) {
            FirstStage.write(files.stage1(), tower, placement, genHancer::write);
        } else if (denoiser().learns()) {
            AtomicFolder.replace(files.denoiser(), file -> true, genHancer::write);
        }
    }

    @Override
    public void close() {
        genHancer.close();
        autoencoder.close();
    }
}
