package dev.diva.posttrain.run;

import dev.diva.diffusion.Condition;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Placement;
import dev.diva.feedback.EmbeddingGuard;
import dev.diva.feedback.ImageCondition;
import dev.diva.objective.TowerEmbedding;
import dev.diva.objective.un2clip.EmbeddingNoise;
import dev.diva.objective.un2clip.Un2Clip;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.train.Objective;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** un2CLIP: a frozen Stable unCLIP is told of the embedding itself. */
final class Un2ClipMethod extends TeacherMethod {
    private final TowerEmbedding tower;
    private Recipe recipe;
    private Un2Clip un2Clip;

    Un2ClipMethod(Recipe asked, TowerEmbedding tower, DiffusionModel teacher, Placement placement) {
        super(asked, teacher, placement);
        this.tower = tower;
    }

    @Override
    public void open(Recipe resolved) {
        super.open(resolved);
        recipe = resolved;
        EmbeddingNoise noise = recipe.embeddingNoise() == Recipe.EmbeddingNoiseName.NONE
                ? EmbeddingNoise.NONE
                : EmbeddingNoise.GENERATOR;
        keepText(teacher().encodePrompt(recipe.prompt()));
        requireTold(() -> {
            un2Clip = new Un2Clip(
                    teacher(),
                    noise,
                    recipe.timesteps().sampler(),
                    recipe.timesteps().levelWeight());
            condition(); // refuses a tower of another width
            return new Condition(text(), torch.zeros(1, 2 * tower.width()));
        });
    }

    @Override
    public ImageCondition condition() {
        return un2Clip.condition(tower, text());
    }

    @Override
    public Map<String, Tensor> parameters() {
        return Map.of();
    }

    @Override
    public Objective<ImageBatch> objective(EmbeddingGuard guard) {
        return FeedbackObjective.of(
                un2Clip.feedback(tower, text(), guard, FeedbackObjective.settings(recipe)), this, recipe);
    }

    @Override
    public Passes passes() {
        return new Passes(recipe.train().draws() * Passes.FROZEN, Passes.TRAINED);
    }

    @Override
    public void write(RunFiles files) {}
}
