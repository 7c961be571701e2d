package dev.diva.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.posttrain.run.RunFiles;
import dev.diva.report.RunCost;
import dev.diva.train.RecipeKeys;
import dev.diva.train.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A run of post-training that reached its end.
 *
 * @param model its result
 * @param untouched the model that it started from
 * @param format layout of that model, or null to find it
 * @param method objective and preset
 * @param recipe all keys, as the run wrote them
 */
record FinishedRun(
        Path folder,
        Path model,
        Path untouched,
        String format,
        String method,
        long seed,
        RecipeKeys recipe,
        RunCost cost) {
    /**
     * Reads a folder.
     *
     * @throws BadInputException when its run is not finished, is none of post-training, or started from a model that is not there
     */
    static FinishedRun read(Path folder) {
        RunFolder.requireFinished(folder);
        ObjectNode keys = RecipeKeys.read(RunFolder.recipeOf(folder));
        if (!keys.path("clip").isTextual()) {
            throw new BadInputException(
                    folder + ": is no run of post-training: its recipe names no clip that it started from");
        }
        Path untouched = Path.of(keys.path("clip").asText());
        if (!Files.exists(untouched)) {
            throw new BadInputException(folder + ": started from " + untouched
                    + ", which is not there; run the command in the folder where the run was started");
        }
        Path model = new RunFiles(folder).clip();
        if (!Files.exists(model)) {
            throw new BadInputException(model + ": no such folder; the result of the run is gone");
        }
        return new FinishedRun(
                folder,
                model,
                untouched,
                keys.path("format").asText(null),
                method(keys),
                keys.path("seed").asLong(),
                new RecipeKeys(keys),
                RunCost.read(folder));
    }

    /** Recipes of before there were other objectives have no such key. */
    private static String method(ObjectNode recipe) {
        JsonNode objective = recipe.path("objective");
        String name = objective.isTextual() ? objective.asText() : "diva";
        String preset = recipe.path("preset").asText("corrected");
        return preset.equals(name) || preset.startsWith(name + "-") ? preset : name + " " + preset;
    }

    /** Whether another run is the same method but for its seed. */
    boolean isRepeatedBy(FinishedRun other) {
        return recipe.differences(other.recipe, FinishedRun::decidesMethod).isEmpty()
                && other.recipe.differences(recipe, FinishedRun::decidesMethod).isEmpty();
    }

    private static boolean decidesMethod(String key) {
        return RecipeTree.decides(key) && !key.equals("seed");
    }
}
