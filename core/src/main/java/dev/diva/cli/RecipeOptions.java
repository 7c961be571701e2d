package dev.diva.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.data.PathPattern;
import dev.diva.posttrain.recipe.RecipeTree;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A recipe from its preset, its file and the options over them, in this order. */
public final class RecipeOptions {
    @Mixin
    private RecipeFile file;

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
            description = "Diffusion model in diffusers layout; for GenHancer an autoencoder.")
    private Path diffusion;

    @Option(
            names = "--images",
            arity = "1..*",
            paramLabel = "PATH",
            description = "Folders, globs, tars or files; tars and files by http(s):// and s3:// too.")
    private List<String> images = new ArrayList<>();

    @Mixin
    private DataCacheOption dataCache;

    @Option(names = "--cache", paramLabel = "DIR", description = "Folder of latents; needs fixed crops.")
    private Path cache;

    @Option(
            names = "--weights-cache",
            paramLabel = "DIR",
            description = "Folder that keeps the denoiser as it is computed with: sooner starts, shared by processes.")
    private Path weightsCache;

    @Option(names = "--crops", description = "Fixed crops of an image.")
    private Integer crops;

    @Option(
            names = "--low-memory",
            description = "Compute activations again in the backward pass: less memory, slower, the same gradients.")
    private boolean lowMemory;

    /** The recipe of a new run. */
    public RecipeTree tree() {
        ObjectNode keys = file.keys();
        List<ObjectNode> changes = new ArrayList<>();
        if (keys != null) {
            changes.add(keys);
        }
        changes.addAll(file.assigned());
        return over(RecipeTree.under(preset, changes), keys);
    }

    /** The recipe of a run that goes on: what is not said is as it was. */
    RecipeTree over(RecipeTree stored) {
        return over(stored, file.keys());
    }

    private RecipeTree over(RecipeTree base, ObjectNode keys) {
        RecipeTree over = file.over(base, keys, options(), RecipeTree::with);
        RecipeTree tree = over.with(absolutePaths(over), "recipe");
        DataCacheOption.use(tree.root());
        return tree;
    }

    private ObjectNode options() {
        ObjectNode keys = JsonNodeFactory.instance.objectNode();
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
        dataCache.put(keys);
        if (cache != null) {
            keys.put("cache", cache.toString());
        }
        if (weightsCache != null) {
            keys.put("weightsCache", weightsCache.toString());
        }
        if (crops != null) {
            keys.put("crops", crops);
        }
        if (lowMemory) {
            keys.put("lowMemory", true);
        }
        return keys;
    }

    /** So that a run can be resumed from anywhere. */
    private static ObjectNode absolutePaths(RecipeTree tree) {
        ObjectNode keys = tree.root().objectNode();
        RecipeFile.absolutePaths(tree.root(), keys, "cache", "weightsCache", "stage1", "projectors");
        RecipeFile.absoluteModels(tree.root(), keys, "clip", "diffusion");
        if (tree.root().path("images").isArray()) {
            Path here = Path.of("").toAbsolutePath();
            var array = keys.putArray("images");
            for (JsonNode pattern : tree.root().path("images")) {
                array.add(pattern.isTextual() ? keys.textNode(PathPattern.below(here, pattern.textValue())) : pattern);
            }
        }
        String init = tree.root().path("projection").path("init").asText("random");
        if (!init.equals("random")) {
            keys.putObject("projection").put("init", RecipeFile.absolute(init));
        }
        JsonNode dataCache = tree.root().path("data").path("cache");
        if (dataCache.isTextual()) {
            keys.putObject("data").put("cache", RecipeFile.absolute(dataCache.textValue()));
        }
        JsonNode mmvp = tree.root().path("eval").path("mmvp");
        if (mmvp.isTextual()) {
            keys.putObject("eval").put("mmvp", RecipeFile.absolute(mmvp.textValue()));
        }
        return keys;
    }

    /** Files that belong to the recipe. */
    List<Path> files() {
        return file.files();
    }

    /**
     * Refuses a recipe that lacks one of these keys.
     *
     * @throws BadInputException naming the key and its option
     */
    public static void require(RecipeTree tree, String... keys) {
        RecipeFile.require(tree.root(), keys);
    }
}
