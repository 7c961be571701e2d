package dev.diva.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.hub.Models;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.train.RecipeKeys;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A recipe from its preset, its file and the options over them, in this order. */
public final class RecipeOptions {
    @Parameters(arity = "0..1", paramLabel = "RECIPE", description = "YAML file of keys; see docs/training.md.")
    private Path recipe;

    @Option(
            names = "--preset",
            description = {
                "corrected (default) or published: the authors' code with its departures; or another method:",
                "genhancer, dcr, un2clip, each also with -published. See docs/methods.md."
            })
    private String preset;

    @Option(names = "--clip", paramLabel = "MODEL", description = "Folder or file of the CLIP or SigLIP to train.")
    private Path clip;

    @Option(names = "--format", description = "Layout of MODEL: hf, open_clip, openai or diva. Default: found in it.")
    private String format;

    @Option(
            names = "--diffusion",
            paramLabel = "DIR",
            description = "Stable Diffusion in diffusers layout; for GenHancer an autoencoder.")
    private Path diffusion;

    @Option(names = "--images", arity = "1..*", paramLabel = "PATH", description = "Folders, globs, tars or files.")
    private List<String> images = new ArrayList<>();

    @Option(names = "--seed", description = "Of everything that is random.")
    private Long seed;

    @Option(names = "--cache", paramLabel = "DIR", description = "Folder of latents; needs fixed crops.")
    private Path cache;

    @Option(
            names = "--weights-cache",
            paramLabel = "DIR",
            description = "Folder that keeps the denoiser as it is computed with: sooner starts, shared by processes.")
    private Path weightsCache;

    @Option(names = "--crops", description = "Fixed crops of an image.")
    private Integer crops;

    @Option(names = "--max-bad-share", description = "Share of unreadable images that training puts up with.")
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
    public RecipeTree tree() {
        ObjectNode file = recipe == null ? null : RecipeKeys.read(recipe);
        List<ObjectNode> changes = new ArrayList<>();
        if (file != null) {
            changes.add(file);
        }
        assignments.forEach(assignment -> changes.add(RecipeKeys.assignment(assignment)));
        return over(RecipeTree.under(preset, changes), file);
    }

    /** The recipe of a run that goes on: what is not said is as it was. */
    RecipeTree over(RecipeTree stored) {
        return over(stored, recipe == null ? null : RecipeKeys.read(recipe));
    }

    private RecipeTree over(RecipeTree base, ObjectNode file) {
        RecipeTree tree = file == null ? base : base.with(file, recipe.toString());
        tree = tree.with(options(tree), "command line");
        for (String assignment : assignments) {
            tree = tree.with(RecipeKeys.assignment(assignment), "--set " + assignment);
        }
        return tree.with(absolutePaths(tree), "recipe");
    }

    private ObjectNode options(RecipeTree tree) {
        ObjectNode keys = tree.root().objectNode();
        if (preset != null) {
            keys.put("preset", preset);
        }
        if (clip != null) {
            keys.put("clip", clip.toString());
        }
        if (format != null) {
            keys.put("format", format);
        }
        if (diffusion != null) {
            keys.put("diffusion", diffusion.toString());
        }
        if (!images.isEmpty()) {
            images.forEach(keys.putArray("images")::add);
        }
        if (seed != null) {
            keys.put("seed", seed);
        }
        if (cache != null) {
            keys.put("cache", cache.toString());
        }
        if (weightsCache != null) {
            keys.put("weightsCache", weightsCache.toString());
        }
        if (crops != null) {
            keys.put("crops", crops);
        }
        if (maxBadShare != null) {
            keys.put("maxBadShare", maxBadShare);
        }
        if (lowMemory) {
            keys.put("lowMemory", true);
        }
        return keys;
    }

    /** So that a run can be resumed from anywhere. */
    private static ObjectNode absolutePaths(RecipeTree tree) {
        ObjectNode keys = tree.root().objectNode();
        for (String key : List.of("cache", "weightsCache", "stage1", "projectors")) {
            if (tree.root().path(key).isTextual()) {
                keys.put(key, absolute(tree.root().path(key).textValue()));
            }
        }
        for (String model : List.of("clip", "diffusion")) { // perhaps by names on the hub
            if (tree.root().path(model).isTextual()) {
                keys.put(
                        model,
                        absolute(Models.resolve(tree.root().path(model).textValue())
                                .toString()));
            }
        }
        if (tree.root().path("images").isArray()) {
            var array = keys.putArray("images");
            for (JsonNode pattern : tree.root().path("images")) {
                array.add(pattern.isTextual() ? keys.textNode(absolute(pattern.textValue())) : pattern);
            }
        }
        String init = tree.root().path("projection").path("init").asText("random");
        if (!init.equals("random")) {
            keys.putObject("projection").put("init", absolute(init));
        }
        JsonNode mmvp = tree.root().path("eval").path("mmvp");
        if (mmvp.isTextual()) {
            keys.putObject("eval").put("mmvp", absolute(mmvp.textValue()));
        }
        return keys;
    }

    /** Patterns are not paths: joined as text. */
    private static String absolute(String path) {
        return path.matches("/.*|[A-Za-z]:.*") ? path : Path.of("").toAbsolutePath() + "/" + path;
    }

    /** Files that belong to the recipe. */
    List<Path> files() {
        return recipe == null ? List.of() : List.of(recipe.toAbsolutePath());
    }

    /**
     * Refuses a recipe that lacks one of these keys.
     *
     * @throws BadInputException naming the key and its option
     */
    public static void require(RecipeTree tree, String... keys) {
        for (String key : keys) {
            JsonNode value = tree.root().path(key);
            if (value.isNull() || value.isMissingNode() || (value.isArray() && value.isEmpty())) {
                throw new BadInputException("recipe: " + key + " is not given; add --" + key + " or the key");
            }
        }
    }
}
