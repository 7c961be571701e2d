package dev.diva.mllm.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.KeyFile;
import dev.diva.train.RecipeKeys;
import dev.diva.train.RunFolder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * The recipe of a stage as a tree of keys. It starts with every key of its stage.
 *
 * @param keys every key
 */
public record StageKeys(RecipeKeys keys) {
    private static final String STAGE = "stage";
    private static final List<String> STAGES = List.of("projector", "instruct");
    /** Keys that change how fast a run is and what it needs. */
    private static final Set<String> SILENT = Set.of("lowMemory");

    /**
     * What LLaVA's authors did in a stage.
     *
     * @param stage {@code projector} or {@code instruct}
     * @throws BadInputException when it is another
     */
    public static StageKeys of(String stage) {
        if (!STAGES.contains(stage)) {
            throw new BadInputException("recipe: stage is " + stage + ", expected projector or instruct");
        }
        try (InputStream file = StageKeys.class.getResourceAsStream(stage + ".yaml")) {
            return new StageKeys(RecipeKeys.parse(file));
        } catch (IOException e) {
            throw new IllegalStateException("the stages are in the jar", e);
        }
    }

    /**
     * The recipe that a run was begun with.
     *
     * @throws BadInputException when the folder holds no such run
     */
    public static StageKeys ofRun(Path run) {
        Path file = RunFolder.recipeOf(run);
        ObjectNode stored = KeyFile.read(file);
        if (!STAGES.contains(stored.path(STAGE).asText())) {
            throw new BadInputException(file + ": is no recipe of 'diva mllm train': its stage is " + stored.path(STAGE)
                    + ", expected projector or instruct");
        }
        return of(stored.path(STAGE).asText()).with(stored, file.toString());
    }

    /**
     * This recipe with other values.
     *
     * @param where named in errors: a file, or an option
     * @throws BadInputException with the nearest name for a key that no recipe has
     */
    public StageKeys with(ObjectNode changes, String where) {
        String asked = changes.path(STAGE).asText(stage());
        if (!asked.equals(stage())) {
            throw new BadInputException(where + ": stage is " + asked + ", the recipe is of " + stage());
        }
        return new StageKeys(keys.with(changes, where));
    }

    private String stage() {
        return keys.root().path(STAGE).asText();
    }

    /** Every key. */
    public ObjectNode root() {
        return keys.root();
    }

    /**
     * The typed recipe.
     *
     * @throws BadInputException naming the key, its value and what was expected
     */
    public StageRecipe recipe() {
        StageRecipe recipe = keys.as(StageRecipe.class);
        boolean isProjector = recipe.trainable().mode() == StageRecipe.Trainable.Mode.PROJECTOR;
        if (isProjector != (recipe.stage() == StageRecipe.Stage.PROJECTOR)) {
            throw new BadInputException("recipe: trainable.mode is "
                    + recipe.trainable().mode().name().toLowerCase(java.util.Locale.ROOT)
                    + (isProjector
                            ? ", in the stage instruct one of lora, full"
                            : ", in the stage projector projector"));
        }
        return recipe;
    }

    /** The recipe as a file. */
    public String toYaml() {
        return keys.toYaml();
    }

    /** Keys whose values differ, as {@code key: old, now new}; some keys do not change what is computed and are passed over. */
    public List<String> differences(StageKeys other) {
        return keys.differences(other.keys, key -> !SILENT.contains(key) && !key.startsWith("checkpoint."));
    }
}
