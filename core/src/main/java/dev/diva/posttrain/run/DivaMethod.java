package dev.diva.posttrain.run;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.clip.VisionConfig;
import dev.diva.clip.VisionModel;
import dev.diva.data.ImageSet;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import dev.diva.feedback.DdpmNoise;
import dev.diva.feedback.DenoisingLoss;
import dev.diva.feedback.DiffusionFeedback;
import dev.diva.feedback.EmbeddingGuard;
import dev.diva.feedback.ImageCondition;
import dev.diva.feedback.LevelWeight;
import dev.diva.feedback.NoiseProcess;
import dev.diva.feedback.Projection;
import dev.diva.feedback.RecapSettings;
import dev.diva.feedback.RectifiedFlow;
import dev.diva.feedback.ScheduledLevels;
import dev.diva.feedback.TimestepSampler;
import dev.diva.feedback.VisualCondition;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.train.Objective;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The paper's method: tokens of the tower, projected, beside a prompt. */
final class DivaMethod extends TeacherMethod {
    private final Recipe asked;
    private final VisionModel vision;
    private Recipe recipe;
    private Projection projection;
    private Tensor pooledText; // beside the tokens; null where the teacher is told none

    DivaMethod(Recipe asked, VisionModel vision, DiffusionModel teacher, Placement placement) {
        super(asked, teacher, placement);
        this.asked = asked;
        this.vision = vision;
    }

    @Override
    public void resolve(ObjectNode keys) {
        super.resolve(keys);
        RecapSettings recap = recap(asked.recap());
        keys.putObject("recap")
                .put("tokens", recap.tokens())
                .put("count", recap.count())
                .put("fraction", recap.fraction())
                .put("window", recap.window())
                .put("replacement", recap.replacement())
                .put("text", recap.text());
    }

    /** What the recipe leaves open is what the authors do with the tower; another strategy starts from nothing. */
    private RecapSettings recap(Recipe.Recap given) {
        VisionConfig config = vision.tower().config();
        RecapSettings published = vision.backbone()
                .map(backbone -> RecapSettings.of(backbone.recap()))
                .orElseGet(() -> RecapSettings.of(config));
        boolean same = given.tokens() == null || given.tokens().equals(published.tokens());
        boolean sized = !same || given.count() != null || given.fraction() != null || given.window() != null;
        return new RecapSettings(
                given.tokens() == null ? published.tokens() : given.tokens(),
                sized ? count(given) : published.count(),
                sized ? given.fraction() : published.fraction(),
                sized ? given.window() : published.window(),
                given.replacement(),
                given.text() != null ? given.text() : text(same, published));
    }

    /** Beside a rectified flow the image takes the place of the prompt's states, which are those of a T5 or a Gemma. */
    private String text(boolean same, RecapSettings published) {
        if (teacher().flow().isPresent()) {
            return "none";
        }
        return same ? published.text() : "mean";
    }

    /** Of the class token, where the recipe leaves it open, as many as its projection has. */
    private Integer count(Recipe.Recap given) {
        String init = asked.projection().init();
        boolean isOpen = given.count() == null && "class".equals(given.tokens());
        return isOpen && !init.equals("random")
                ? Projection.tokensOf(Path.of(init)).orElse(null)
                : given.count();
    }

    @Override
    public void open(Recipe resolved) {
        super.open(resolved);
        recipe = resolved;
        recap(recipe.recap()).requireFits(vision.tower().config());
        projection = openProjection();
        try (PointerScope scope = new PointerScope()) {
            Condition told = told(recipe.recap());
            keepText(told.tokens());
            pooledText = told.vector() == null ? null : Scopes.keep(told.vector());
        }
        requireTold(() -> new Condition(text(), pooledText));
    }

    /** What stands beside the image: of the text encoders those that it needs. */
    private Condition told(Recipe.Recap keys) {
        if (teacher().flow().isEmpty() || !keys.text().equals("none")) {
            return teacher().encodeCondition(recipe.prompt());
        }
        long local = vision.tower().config().numLocalTokens();
        long tokens = recap(keys).recap(local).numTokens(local);
        return new Condition(
                torch.zeros(1, tokens, denoiser().crossAttentionDim()),
                teacher().encodeVector(recipe.prompt()));
    }

    private Projection openProjection() {
        long in = vision.tower().config().projectionDim();
        long each = recap(recipe.recap())
                .recap(vision.tower().config().numLocalTokens())
                .projectedTo();
        long out = each * teacher().denoiser().crossAttentionDim();
        String init = recipe.projection().init();
        if (init.equals("random")) {
            return Projection.random(in, out, recipe.seed(), placement().device());
        }
        Projection loaded = Projection.load(Path.of(init), in, out, placement().device());
        if (loaded.isAnchored()
                && !(recipe.recap().tokens().equals("class")
                        && recipe.recap().text().equals("none"))) {
            loaded.close();
            throw new BadInputException(
                    "recipe: projection.init " + init + " is anchored in texts, so it takes the embedding"
                            + " alone and gives the whole condition; set recap.tokens: class and recap.text: none (found "
                            + recipe.recap().tokens() + " and " + recipe.recap().text() + ")");
        }
        return loaded;
    }

    @Override
    public void measure(ImageSet images) {
        if (projection.needsCenter()) {
            projection.centerAt(ImageCenter.of(vision, images));
        }
    }

    @Override
    public List<Path> files() {
        List<Path> files = new ArrayList<>(super.files());
        if (!recipe.projection().init().equals("random")) {
            files.add(Path.of(recipe.projection().init()));
        }
        return files;
    }

    @Override
    public ImageCondition condition() {
        return new VisualCondition(
                vision.tower(), recap(recipe.recap()), projection, new Condition(text(), pooledText));
    }

    @Override
    public Map<String, Tensor> parameters() {
        return projection.parameters();
    }

    @Override
    public Objective<ImageBatch> objective(EmbeddingGuard guard) {
        DenoisingLoss loss = new DenoisingLoss(teacher().denoiser(), noise());
        DiffusionFeedback feedback =
                new DiffusionFeedback(condition(), loss, guard, FeedbackObjective.settings(recipe));
        return FeedbackObjective.of(feedback, this, recipe);
    }

    /** That of the teacher. */
    private NoiseProcess noise() {
        TimestepSampler timesteps = recipe.timesteps().sampler();
        LevelWeight weight = recipe.timesteps().levelWeight();
        return teacher()
                .flow()
                .<NoiseProcess>map(flow -> new RectifiedFlow(new ScheduledLevels(flow, timesteps), weight))
                .orElseGet(() -> new DdpmNoise(teacher().schedule(), timesteps, weight));
    }

    @Override
    public Passes passes() {
        int draws = recipe.train().draws();
        int towers = recipe.feedback().towerPerDraw() ? draws : 1;
        return new Passes(draws * Passes.FROZEN, towers * Passes.TRAINED);
    }

    @Override
    public void write(RunFiles files) {
        projection.write(files.projection());
    }

    @Override
    public void close() {
        if (projection != null) {
            projection.close();
        }
        Scopes.release(pooledText);
        super.close();
    }
}
