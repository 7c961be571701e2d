package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.KeyFile;
import dev.diva.checkpoint.TensorCache;
import dev.diva.engine.ProcessGroup;
import dev.diva.eval.segmentation.Layout;
import dev.diva.segment.train.SanRecipe;
import dev.diva.segment.train.SanTraining;
import dev.diva.train.RecipeKeys;
import dev.diva.train.RunFolder;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code diva segment train}: a SAN on a frozen CLIP. */
@Command(
        name = "train",
        mixinStandardHelpOptions = true,
        description = "Train a SAN, which segments by names that you choose, on a frozen CLIP.",
        footer = {"", "SIGTERM and SIGINT write a checkpoint and end with code 75: go on with --resume."})
public final class SegmentTrainCommand extends TrainingCommand<SanTraining> {
    @Mixin
    private RecipeFile file;

    @Option(names = "--clip", paramLabel = "MODEL", description = "Folder or file of a CLIP with a class token.")
    private Path clip;

    @Option(names = "--format", description = "Layout of MODEL: hf, open_clip, openai or diva. Default: found in it.")
    private String format;

    @Option(names = "--data", paramLabel = "DIR", description = "Root of detectron2's data sets.")
    private Path data;

    @Option(names = "--start", paramLabel = "SAN", description = "A SAN to go on from. Default: new weights.")
    private Path start;

    @Option(names = "--crops", description = "Fixed crops of a picture. Default: a new one every epoch.")
    private Integer crops;

    @Option(
            names = "--freeze-positions",
            description = "Leave CLIP's table of positions alone: much less work, not the published recipe.")
    private boolean freezePositions;

    @Option(
            names = "--cache",
            paramLabel = "DIR",
            description = "Folder of what CLIP sees; needs --freeze-positions and --crops.")
    private Path cache;

    @Override
    int train() throws JsonProcessingException {
        RecipeKeys given = keys();
        RecipeKeys keys =
                isDryRun() ? given.with(JsonNodeFactory.instance.objectNode().putNull("cache"), "--dry-run") : given;
        SanRecipe recipe = given.as(SanRecipe.class); // wrong values are told before models are loaded
        if (recipe.cache() != null) {
            TensorCache.requireFolder(Path.of(recipe.cache()));
        }
        RecipeFile.require(keys.root(), "clip", "data");
        requireFreeFolder();
        try (ProcessGroup group = processes().join(recipe.placement(), keys.toYaml())) {
            return run(group, () -> SanTraining.open(keys, launch(file.files()), group));
        }
    }

    @Override
    void describe(SanTraining run, boolean isDone, long samples, Map<String, Object> record) {
        record.put("san", isDone ? run.result().toString() : null);
        record.put("images", samples);
    }

    private RecipeKeys keys() {
        RecipeKeys keys = SanRecipe.published();
        if (resume()) {
            Path stored = RunFolder.recipeOf(out());
            keys = keys.with(KeyFile.read(stored), stored.toString());
        }
        keys = file.over(keys, file.keys(), options(), RecipeKeys::with);
        return keys.with(absolutePaths(keys), "recipe");
    }

    private ObjectNode options() {
        ObjectNode given = JsonNodeFactory.instance.objectNode();
        put(given, "clip", clip);
        put(given, "data", data);
        put(given, "start", start);
        put(given, "cache", cache);
        if (format != null) {
            given.put("format", format);
        }
        if (crops != null) {
            given.put("crops", crops);
        }
        if (freezePositions) {
            given.put("freezePositions", true);
        }
        return given;
    }

    private static void put(ObjectNode given, String key, Path path) {
        if (path != null) {
            given.put(key, path.toString());
        }
    }

    private static ObjectNode absolutePaths(RecipeKeys keys) {
        ObjectNode paths = keys.root().objectNode();
        RecipeFile.absolutePaths(keys.root(), paths, "data", "start", "cache", "draws");
        if (Layout.isFile(keys.root().path("set").asText())) {
            RecipeFile.absolutePaths(keys.root(), paths, "set");
        }
        RecipeFile.absoluteModels(keys.root(), paths, "clip");
        return paths;
    }
}
