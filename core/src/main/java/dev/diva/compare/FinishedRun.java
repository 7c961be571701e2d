package dev.diva.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.KeyFile;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.posttrain.run.RunFiles;
import dev.diva.report.RunCost;
import dev.diva.train.RecipeKeys;
import dev.diva.train.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * A run of post-training that reached its end.
 *
 * @param model its result
 * @param untouched the model that it started from
 * @param format layout of that model, or null to find it
 * @param method objective and preset
 * @param recipe all keys, as the run wrote them
 * @param first recipe of the run of its first stage, or null
 * @param cost of all its stages, as far as their runs are there
 * @param unknown what the cost leaves out, or null
 */
record FinishedRun(
        Path folder,
        Path model,
        Path untouched,
        String format,
        String method,
        long seed,
        RecipeKeys recipe,
        RecipeKeys first,
        RunCost cost,
        String unknown) {
    private static final Set<String> FIRST_STAGE = Set.of("stage1", "projectors");

    /**
     * Reads a folder.
     *
     * @throws BadInputException when its run is not finished, is none of post-training, or started from a model that is not there
     */
    static FinishedRun read(Path folder) {
        RunFolder.requireFinished(folder);
        ObjectNode keys = KeyFile.read(RunFolder.recipeOf(folder));
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
        RunCost own = RunCost.read(folder);
        Path stage1 = stage1(keys);
        boolean isKnown = stage1 == null || RunFolder.isRun(stage1);
        return new FinishedRun(
                folder,
                model,
                untouched,
                keys.path("format").asText(null),
                method(keys),
                keys.path("seed").asLong(),
                new RecipeKeys(keys),
                isKnown && stage1 != null ? new RecipeKeys(KeyFile.read(RunFolder.recipeOf(stage1))) : null,
                isKnown && stage1 != null ? own.plus(RunCost.read(stage1)) : own,
                isKnown
                        ? null
                        : folder + ": its price is that of stage 2 alone, because " + stage1
                                + " is no folder of a run; stage 1 took more");
    }

    /** Run of the first stage, or files of elsewhere that the second started from; null for a method of one stage. */
    private static Path stage1(ObjectNode recipe) {
        String given = recipe.path("stage1").asText(recipe.path("projectors").asText(null));
        if (given == null) {
            return null;
        }
        Path path = Path.of(given).toAbsolutePath();
        return Stream.iterate(path, Objects::nonNull, Path::getParent)
                .limit(3) // RUN/stage1/projectors.safetensors
                .filter(RunFolder::isRun)
                .findFirst()
                .orElse(path);
    }

    /** Recipes of before there were other objectives have no such key. */
    private static String method(ObjectNode recipe) {
        JsonNode objective = recipe.path("objective");
        String name = objective.isTextual() ? objective.asText() : "diva";
        String preset = recipe.path("preset").asText("corrected");
        return preset.equals(name) || preset.startsWith(name + "-") ? preset : name + " " + preset;
    }

    /** Whether another run is the same method but for its seed; so may its first stage be. */
    boolean isRepeatedBy(FinishedRun other) {
        if (first == null || other.first == null) {
            return isSame(recipe, other.recipe, FinishedRun::decidesMethod);
        }
        return isSame(recipe, other.recipe, key -> decidesMethod(key) && !FIRST_STAGE.contains(key))
                && isSame(first, other.first, FinishedRun::decidesMethod);
    }

    private static boolean isSame(RecipeKeys a, RecipeKeys b, Predicate<String> decides) {
        return a.differences(b, decides).isEmpty() && b.differences(a, decides).isEmpty();
    }

    private static boolean decidesMethod(String key) {
        return RecipeTree.decides(key) && !key.equals("seed");
    }
}
