package dev.diva.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.mllm.train.StageKeys;
import dev.diva.train.RecipeKeys;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The recipe of a stage: what LLaVA's authors did, a file over it, the options over both. */
final class StageOptions {
    private static final List<String> PATHS = List.of("llava", "base", "data", "images");
    /** Values of keys that may be paths. */
    private static final Set<String> WORDS = Set.of("random", "config", "checkpoint");

    @Parameters(arity = "0..1", paramLabel = "RECIPE", description = "YAML file of keys; see docs/mllm-training.md.")
    private Path recipe;

    @Option(names = "--stage", description = "projector or instruct.")
    private String stage;

    @Option(
            names = "--llava",
            paramLabel = "DIR",
            description = "What to begin with: a LLaVA-1.5 of either layout, what a stage left, or a Llama.")
    private String llava;

    @Option(names = "--base", paramLabel = "DIR", description = "Model beneath an adapter. Default: its config's.")
    private String base;

    @Option(
            names = "--tower",
            paramLabel = "MODEL",
            description = "See with this CLIP; or 'config' or 'checkpoint' where the folder has two towers.")
    private String tower;

    @Option(
            names = "--projector",
            paramLabel = "FILE",
            description = "mm_projector.bin or its folder; or 'random'. Default: a new one in stage projector, the"
                    + " LLaVA's own in stage instruct.")
    private String projector;

    @Option(names = "--data", paramLabel = "FILE", description = "LLaVA's JSON list of conversations.")
    private String data;

    @Option(names = "--images", paramLabel = "DIR", description = "Folder that the images of --data lie in.")
    private String images;

    @Option(names = "--output", description = "part: what was trained, over what it began with; merged: a whole LLaVA.")
    private String output;

    @Option(names = "--seed", description = "Of everything that is random.")
    private Long seed;

    @Option(names = "--max-bad-share", description = "Share of samples that cannot be used and are left out.")
    private Double maxBadShare;

    @Option(
            names = "--low-memory",
            description = "Compute activations again in the backward pass: less memory, slower, the same gradients.")
    private boolean lowMemory;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any key of a recipe, for instance train.steps=100; may be given more than once.")
    private List<String> assignments = new ArrayList<>();

    /** The recipe of a new run. */
    StageKeys keys() {
        ObjectNode file = recipe == null ? null : RecipeKeys.read(recipe);
        String asked =
                stage != null ? stage : file == null ? null : file.path("stage").textValue();
        if (asked == null) {
            throw new BadInputException("recipe: stage is not given; add --stage projector or --stage instruct");
        }
        return over(StageKeys.of(asked), file);
    }

    /** The recipe of a run that goes on: what is not said is as it was. */
    StageKeys over(StageKeys stored) {
        return over(stored, recipe == null ? null : RecipeKeys.read(recipe));
    }

    private StageKeys over(StageKeys under, ObjectNode file) {
        StageKeys keys = file == null ? under : under.with(file, recipe.toString());
        keys = keys.with(options(keys), "command line");
        for (String assignment : assignments) {
            keys = keys.with(RecipeKeys.assignment(assignment), "--set " + assignment);
        }
        keys = keys.with(absolutePaths(keys), "recipe");
        for (String key : List.of("llava", "data", "images")) {
            if (keys.root().path(key).isNull()) {
                throw new BadInputException("recipe: " + key + " is not given; add --" + key + " or the key");
            }
        }
        return keys;
    }

    private ObjectNode options(StageKeys keys) {
        ObjectNode given = keys.root().objectNode();
        put(given, "stage", stage);
        put(given, "llava", llava);
        put(given, "base", base);
        put(given, "tower", tower);
        put(given, "projector", projector);
        put(given, "data", data);
        put(given, "images", images);
        put(given, "output", output);
        if (seed != null) {
            given.put("seed", seed);
        }
        if (maxBadShare != null) {
            given.put("maxBadShare", maxBadShare);
        }
        if (lowMemory) {
            given.put("lowMemory", true);
        }
        return given;
    }

    private static void put(ObjectNode given, String key, String value) {
        if (value != null) {
            given.put(key, value);
        }
    }

    /** So that a run can be resumed from anywhere. */
    private static ObjectNode absolutePaths(StageKeys keys) {
        ObjectNode absolute = keys.root().objectNode();
        for (String key : PATHS) {
            if (keys.root().path(key).isTextual()) {
                absolute.put(key, absolute(keys.root().path(key).textValue()));
            }
        }
        for (String key : List.of("tower", "projector")) {
            String value = keys.root().path(key).textValue();
            if (value != null && !WORDS.contains(value)) {
                absolute.put(key, absolute(value));
            }
        }
        return absolute;
    }

    private static String absolute(String path) {
        return Path.of(path).toAbsolutePath().normalize().toString();
    }

    /** Files that belong to the recipe. */
    List<Path> files() {
        return recipe == null ? List.of() : List.of(recipe.toAbsolutePath());
    }
}
