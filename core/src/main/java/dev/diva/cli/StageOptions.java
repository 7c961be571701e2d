package dev.diva.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.mllm.train.StageKeys;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The recipe of a stage: what LLaVA's authors did, a file over it, the options over both. */
final class StageOptions {
    /** Values of keys that may be paths. */
    private static final Set<String> WORDS = Set.of("random", "config", "checkpoint");

    @Mixin
    private RecipeFile file;

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

    @Option(names = "--format", description = "Layout of --tower: hf, open_clip, openai or diva. Default: found in it.")
    private String format;

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

    @Option(
            names = "--low-memory",
            description = "Compute activations again in the backward pass: less memory, slower, the same gradients.")
    private boolean lowMemory;

    /** The recipe of a new run. */
    StageKeys keys() {
        ObjectNode keys = file.keys();
        String asked =
                stage != null ? stage : keys == null ? null : keys.path("stage").textValue();
        if (asked == null) {
            throw new BadInputException("recipe: stage is not given; add --stage projector or --stage instruct");
        }
        return over(StageKeys.of(asked), keys);
    }

    /** The recipe of a run that goes on: what is not said is as it was. */
    StageKeys over(StageKeys stored) {
        return over(stored, file.keys());
    }

    private StageKeys over(StageKeys under, ObjectNode given) {
        StageKeys keys = file.over(under, given, options(), StageKeys::with);
        keys = keys.with(absolutePaths(keys), "recipe");
        RecipeFile.require(keys.root(), "llava", "data", "images");
        return keys;
    }

    private ObjectNode options() {
        ObjectNode given = JsonNodeFactory.instance.objectNode();
        put(given, "stage", stage);
        put(given, "llava", llava);
        put(given, "base", base);
        put(given, "tower", tower);
        put(given, "format", format);
        put(given, "projector", projector);
        put(given, "data", data);
        put(given, "images", images);
        put(given, "output", output);
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
        RecipeFile.absolutePaths(keys.root(), absolute, "data", "images");
        RecipeFile.absoluteModels(keys.root(), absolute, "llava", "base");
        if (!WORDS.contains(keys.root().path("tower").asText())) {
            RecipeFile.absoluteModels(keys.root(), absolute, "tower");
        }
        if (!WORDS.contains(keys.root().path("projector").asText())) {
            RecipeFile.absolutePaths(keys.root(), absolute, "projector");
        }
        return absolute;
    }

    /** Files that belong to the recipe. */
    List<Path> files() {
        return file.files();
    }
}
