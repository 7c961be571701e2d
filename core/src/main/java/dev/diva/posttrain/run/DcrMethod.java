package dev.diva.posttrain.run;

import dev.diva.diffusion.Condition;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.diffusion.NoiseConfig;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.Activations;
import dev.diva.engine.Placement;
import dev.diva.feedback.DdpmNoise;
import dev.diva.feedback.EmbeddingGuard;
import dev.diva.feedback.ImageCondition;
import dev.diva.objective.MlpProjector;
import dev.diva.objective.TowerEmbedding;
import dev.diva.objective.dcr.ContrastiveLoss;
import dev.diva.objective.dcr.DcrCondition;
import dev.diva.objective.dcr.DcrFeedback;
import dev.diva.posttrain.recipe.Contrast;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.train.Objective;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** DCR: a frozen diffusion model under every condition of a batch, told of the projected embedding. */
final class DcrMethod extends TeacherMethod {
    private static final String PROJECTOR = "project_clip";
    private static final int TIMESTEPS = 1000;
    private static final double BETA_START = 0.00085;
    private static final double BETA_END = 0.012;

    /**
     * So many images at most have all their predictions in one pass, of which each block of the teacher keeps its inputs alone. Counted by
     * their numbers these are about a tenth of a prediction's graph, and more images keep the graph of a prediction each.
     */
    private static final int MOST_IMAGES_TOGETHER = 9;

    private final TowerEmbedding tower;
    private Recipe recipe;
    private FirstStage stage1; // null in stage 1
    private MlpProjector projector;

    DcrMethod(Recipe asked, TowerEmbedding tower, DiffusionModel teacher, Placement placement) {
        super(asked, teacher, placement);
        this.tower = tower;
    }

    /** Where and how its teacher computes. */
    static Placement teacherPlacement(Recipe asked, Placement placement) {
        return areTogether(asked) ? placement.with(Activations.RECOMPUTED) : placement;
    }

    @Override
    public void open(Recipe resolved) {
        super.open(resolved);
        recipe = resolved;
        long in = tower.width();
        long out = teacher().denoiser().crossAttentionDim();
        if (recipe.isFirstStage()) {
            projector = MlpProjector.random(
                    PROJECTOR, in, out, recipe.seed(), placement().device());
        } else {
            stage1 = FirstStage.of(recipe);
            projector = FirstStage.read(
                    recipe,
                    () -> MlpProjector.load(
                            stage1.projectors(), PROJECTOR, in, out, placement().device(), false));
            stage1.requireTower(tower, placement());
        }
        keepText(
                recipe.contrast().promptMask()
                        ? teacher().encodeMaskedPrompt(recipe.prompt())
                        : teacher().encodePrompt(recipe.prompt()));
        requireTold(() -> Condition.of(text()));
    }

    @Override
    public List<Path> files() {
        List<Path> files = new ArrayList<>(super.files());
        if (stage1 != null) {
            files.add(stage1.projectors());
        }
        return files;
    }

    @Override
    public ImageCondition condition() {
        return new DcrCondition(tower, projector, text());
    }

    @Override
    public Map<String, Tensor> parameters() {
        return projector.parameters();
    }

    @Override
    public Objective<ImageBatch> objective(EmbeddingGuard guard) {
        DcrFeedback feedback = new DcrFeedback(
                condition(),
                teacher().denoiser(),
                new DdpmNoise(new NoiseSchedule(noise()), recipe.timesteps().sampler()),
                new ContrastiveLoss(recipe.contrast().temperature()),
                guard,
                latentsAtOnce());
        return new DcrObjective(
                feedback, latentChannels(), recipe.resolution() / autoencoder().downscale());
    }

    private int latentsAtOnce() {
        int batch = recipe.train().batch();
        if (recipe.lowMemory()) {
            return 1;
        }
        return areTogether(recipe) ? batch * batch + batch : batch;
    }

    private static boolean areTogether(Recipe asked) {
        return asked.train().batch() <= MOST_IMAGES_TOGETHER;
    }

    private NoiseConfig noise() {
        NoiseConfig own = teacher().schedule().config();
        NoiseConfig.Prediction prediction = switch (recipe.contrast().target()) {
            case TEACHER -> own.prediction();
            case VELOCITY -> NoiseConfig.Prediction.V_PREDICTION;
            case NOISE -> NoiseConfig.Prediction.EPSILON;
        };
        return recipe.contrast().noise() == Contrast.Noise.TEACHER
                ? new NoiseConfig(own.betas(), prediction, own.zeroTerminalSnr())
                : NoiseConfig.scaledLinear(TIMESTEPS, BETA_START, BETA_END, prediction);
    }

    @Override
    public boolean comparesImages() {
        return true;
    }

    /** Every prediction but those of the last chunk, of a batch, is made twice, and goes back once. */
    @Override
    public Passes passes() {
        return new Passes(recipe.train().batch() + (recipe.train().batch() + 1) * Passes.FROZEN, 2 * Passes.TRAINED);
    }

    @Override
    public void write(RunFiles files) {
        if (recipe.isFirstStage()) {
            FirstStage.write(
                    files.stage1(),
                    tower,
                    placement(),
                    folder -> MlpProjector.write(folder.resolve(FirstStage.PROJECTORS), projector));
        }
    }

    @Override
    public void close() {
        if (projector != null) {
            projector.close();
        }
        super.close();
    }
}
