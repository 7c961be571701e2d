package dev.diva.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.KeyFile;
import dev.diva.hub.Models;
import dev.diva.train.RecipeKeys;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The file of a recipe and what goes over it, in this order: options, then single keys. */
final class RecipeFile {
    @Parameters(
            arity = "0..1",
            paramLabel = "RECIPE",
            description = "YAML file of keys, which the page of the command in docs/ explains.")
    private Path recipe;

    @Option(names = "--seed", description = "Of everything that is random.")
    private Long seed;

    @Option(
            names = "--max-bad-share",
            description = "Share of samples that cannot be used which training puts up with.")
    private Double maxBadShare;

    @Option(names = "--device", converter = DeviceOption.DeviceName.class, description = DeviceOption.DEVICE)
    private String device;

    @Option(names = "--tf32", description = DeviceOption.TF32)
    private boolean tf32;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any key of a recipe, for instance train.steps=100; may be given more than once.")
    private List<String> assignments = new ArrayList<>();

    /**
     * Lays keys over a recipe.
     *
     * @param <T> how a kind of recipe is held
     */
    @FunctionalInterface
    interface Laying<T> {
        /** @param where named in errors: a file, or an option */
        T over(T recipe, ObjectNode keys, String where);
    }

    /** Keys of the file, or null without one. */
    ObjectNode keys() {
        return recipe == null ? null : KeyFile.read(recipe);
    }

    /** Each {@code --set}. */
    List<ObjectNode> assigned() {
        return assignments.stream().map(RecipeKeys::assignment).toList();
    }

    /**
     * A recipe with the file, the options and the single keys over it.
     *
     * @param file {@link #keys}
     * @param options of the command
     */
    <T> T over(T under, ObjectNode file, ObjectNode options, Laying<T> laying) {
        T keys = file == null ? under : laying.over(under, file, recipe.toString());
        if (seed != null) {
            options.put("seed", seed);
        }
        if (device != null) {
            options.put("device", device);
        }
        if (tf32) {
            options.put("tf32", true);
        }
        if (maxBadShare != null) {
            options.put("maxBadShare", maxBadShare);
        }
        keys = laying.over(keys, options, "command line");
        for (String assignment : assignments) {
            keys = laying.over(keys, RecipeKeys.assignment(assignment), "--set " + assignment);
        }
        return keys;
    }

    /** Files that belong to the recipe. */
    List<Path> files() {
        return recipe == null ? List.of() : List.of(recipe.toAbsolutePath());
    }

    /** Makes the paths of some keys absolute, so that a run can be resumed from anywhere. */
    static void absolutePaths(ObjectNode root, ObjectNode changes, String... keys) {
        for (String key : keys) {
            if (root.path(key).isTextual()) {
                changes.put(key, absolute(root.path(key).textValue()));
            }
        }
    }

    /** The same of models, which may go by their names on the hub. */
    static void absoluteModels(ObjectNode root, ObjectNode changes, String... keys) {
        for (String key : keys) {
            if (root.path(key).isTextual()) {
                changes.put(
                        key, absolute(Models.resolve(root.path(key).textValue()).toString()));
            }
        }
    }

    /** Patterns are not paths: joined as text. */
    static String absolute(String path) {
        return path.matches("/.*|[A-Za-z]:.*") ? path : Path.of("").toAbsolutePath() + "/" + path;
    }

    /**
     * Refuses a recipe that lacks one of these keys.
     *
     * @throws BadInputException naming the key and its option
     */
    static void require(ObjectNode root, String... keys) {
        for (String key : keys) {
            JsonNode value = root.path(key);
            if (value.isNull() || value.isMissingNode() || (value.isArray() && value.isEmpty())) {
                throw new BadInputException("recipe: " + key + " is not given; add --" + key + " or the key");
            }
        }
    }
}
