package dev.diva.posttrain.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.NearestName;
import dev.diva.hub.Address;
import dev.diva.train.RecipeKeys;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The recipe of a post-training as a tree of keys. It starts as a preset, which has every key; whatever is laid over it may use those keys
 * only.
 *
 * @param keys every key of a recipe
 */
public record RecipeTree(RecipeKeys keys) {
    /** Keys that change how fast a run is and what it needs. */
    private static final Set<String> SILENT =
            Set.of("workers", "lowMemory", "weightsCache", "data.cache", "data.cacheSize");

    private static final List<String> PRESETS = List.of(
            "corrected",
            "published",
            "anchored",
            "genhancer",
            "genhancer-published",
            "dcr",
            "dcr-published",
            "un2clip",
            "un2clip-published");

    private static final String PROJECTION = "projection";
    private static final String OBJECTIVE = "objective";
    private static final String STAGE1 = "stage1";

    /**
     * The preset of that name.
     *
     * @throws BadInputException with the nearest name when there is none
     */
    public static RecipeTree preset(String name) {
        if (!PRESETS.contains(name)) {
            throw new BadInputException("preset " + name + " is not known; nearest: " + NearestName.of(name, PRESETS));
        }
        return new RecipeTree(resource(name));
    }

    private static RecipeKeys resource(String name) {
        try (InputStream file = RecipeTree.class.getResourceAsStream(name + ".yaml")) {
            return RecipeKeys.parse(file);
        } catch (IOException e) {
            throw new IllegalStateException("presets are in the jar", e);
        }
    }

    /**
     * The preset that a recipe starts from: the one that it names, or else that of its objective.
     *
     * @param name of a preset, or null
     * @param changes which will be laid over it, in this order; what they say of preset, objective and stage decides
     * @throws BadInputException with the nearest name when there is none
     */
    public static RecipeTree under(String name, List<ObjectNode> changes) {
        String preset = name != null ? name : last(changes, "preset");
        String objective = last(changes, OBJECTIVE);
        if (preset == null) {
            preset = objective == null || objective.equals("diva") ? "corrected" : objective;
            if (!PRESETS.contains(preset)
                    || preset.contains("-")
                    || preset.equals("published")
                    || preset.equals("anchored")) {
                throw new BadInputException(
                        "recipe: objective is " + objective + ", expected one of diva, genhancer, dcr, un2clip");
            }
        }
        RecipeTree tree = preset(preset);
        boolean isFirstStage = tree.root().has("stage") && "1".equals(last(changes, "stage"));
        return isFirstStage ? new RecipeTree(tree.keys.with(resource(STAGE1).root(), STAGE1)) : tree;
    }

    private static String last(List<ObjectNode> changes, String key) {
        return changes.stream()
                .filter(keys -> keys.hasNonNull(key))
                .map(keys -> keys.get(key).asText())
                .reduce(null, (before, after) -> after);
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
        requireOwn(full, where);
        return new RecipeTree(keys.with(full, where));
    }

    /** A key that recipes of another objective have is told as that. */
    private void requireOwn(ObjectNode changes, String where) {
        String mine = root().path(OBJECTIVE).asText();
        String asked = changes.path(OBJECTIVE).asText(mine);
        if (!asked.equals(mine)) {
            throw new BadInputException(where + ": objective is " + asked + ", the preset "
                    + root().path("preset").asText() + " is of " + mine + "; choose a preset of " + asked
                    + " with --preset");
        }
        for (String key : new RecipeKeys(changes).flat().keySet()) {
            if (!has(root(), key)) {
                String owners = PRESETS.stream()
                        .map(name -> resource(name).root())
                        .filter(preset -> has(preset, key))
                        .map(preset -> preset.path(OBJECTIVE).asText())
                        .distinct()
                        .collect(Collectors.joining(" and "));
                if (!owners.isEmpty()) {
                    throw new BadInputException(where + ": " + key + " is a key of the objective " + owners
                            + ", this recipe is of " + mine);
                }
            }
        }
    }

    private static boolean has(ObjectNode root, String key) {
        JsonNode node = root;
        for (String part : key.split("\\.", -1)) {
            node = node == null ? null : node.get(part);
        }
        return node != null;
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

    /** The same as it may be kept: without what signs addresses of images. */
    public RecipeTree withoutSecrets() {
        ObjectNode own = root().objectNode();
        root().path("images").forEach(pattern -> own.withArray("images").add(Address.withoutSecrets(pattern.asText())));
        return own.isEmpty() ? this : with(own, "recipe");
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
