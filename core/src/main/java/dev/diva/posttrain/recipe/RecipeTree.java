package dev.diva.posttrain.recipe;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.NearestName;
import dev.diva.train.RecipeKeys;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Set;

/**
 * The recipe of a post-training as a tree of keys. It starts as a preset, which has every key; whatever is laid over it may use those keys
 * only.
 *
 * @param keys every key of a recipe
 */
public record RecipeTree(RecipeKeys keys) {
    /** Keys that change how fast a run is and what it needs. */
    private static final Set<String> SILENT = Set.of("workers", "lowMemory", "weightsCache");

    private static final List<String> PRESETS = List.of("corrected", "published");
    private static final String PROJECTION = "projection";

    /**
     * The preset of that name.
     *
     * @throws BadInputException with the nearest name when there is none
     */
    public static RecipeTree preset(String name) {
        if (!PRESETS.contains(name)) {
            throw new BadInputException("preset " + name + " is not known; nearest: " + NearestName.of(name, PRESETS));
        }
        try (InputStream file = RecipeTree.class.getResourceAsStream(name + ".yaml")) {
            return new RecipeTree(RecipeKeys.parse(file));
        } catch (IOException e) {
            throw new IllegalStateException("presets are in the jar", e);
        }
    }

    /** Every key. */
    public ObjectNode root() {
        return keys.root();
    }

    /**
     * This recipe with other values. A projection may be named by its file alone.
     *
     * @param where named in errors: a file, or an option
     * @throws BadInputException with the nearest name for a key that no recipe has
     */
    public RecipeTree with(ObjectNode changes, String where) {
        ObjectNode full = changes.deepCopy();
        if (full.path(PROJECTION).isTextual()) {
            full.putObject(PROJECTION).set("init", changes.get(PROJECTION));
        }
        return new RecipeTree(keys.with(full, where));
    }

    /**
     * The typed recipe.
     *
     * @throws BadInputException naming the key, its value and what was expected
     */
    public Recipe recipe() {
        return keys.as(Recipe.class);
    }

    /** The recipe as a file. */
    public String toYaml() {
        return keys.toYaml();
    }

    /** Keys whose values differ, as {@code key: old, now new}; some keys do not change what is computed and are passed over. */
    public List<String> differences(RecipeTree other) {
        return keys.differences(other.keys, RecipeTree::decides);
    }

    /** Whether a key, by its dotted path, changes what is computed. */
    public static boolean decides(String key) {
        return !SILENT.contains(key) && !key.startsWith("checkpoint.") && !key.startsWith("eval.");
    }
}
