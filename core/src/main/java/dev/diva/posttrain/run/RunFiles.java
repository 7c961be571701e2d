package dev.diva.posttrain.run;

import dev.diva.KeyFile;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.train.RunFolder;
import java.nio.file.Path;

/**
 * What post-training leaves in the folder of a run beside what every run has.
 *
 * @param run the folder
 */
public record RunFiles(Path run) {
    /**
     * The recipe that the run was started with.
     *
     * @throws dev.diva.BadInputException when the folder holds no run
     */
    public RecipeTree recipe() {
        Path recipe = RunFolder.recipeOf(run);
        String preset = KeyFile.read(recipe).path("preset").asText("corrected");
        return RecipeTree.preset(preset).with(KeyFile.read(recipe), recipe.toString());
    }

    /** The result. */
    public Path clip() {
        return run.resolve("clip");
    }

    /** What low-rank training has changed, as peft writes it. */
    public Path adapter() {
        return run.resolve("adapter");
    }

    /** The model with the best held-out score so far. */
    public Path best() {
        return run.resolve("best");
    }

    /** Scores before, during and after. */
    public Path evaluations() {
        return run.resolve("evaluations");
    }

    /** The trained projection. */
    public Path projection() {
        return run.resolve("projection.safetensors");
    }

    /** What the first of two stages has trained, and what the second starts from. */
    public Path stage1() {
        return FirstStage.in(run);
    }

    /** GenHancer's denoiser and projectors, where they learned beside the CLIP. */
    public Path denoiser() {
        return run.resolve("denoiser");
    }

    /** What the check of the images found. */
    public Path data() {
        return run.resolve("data.json");
    }
}
