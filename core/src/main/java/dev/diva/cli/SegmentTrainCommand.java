package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessGroup;
import dev.diva.segment.train.SanRecipe;
import dev.diva.segment.train.SanTraining;
import dev.diva.train.RecipeKeys;
import dev.diva.train.RunFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code diva segment train}: a SAN on a frozen CLIP. */
@Command(
        name = "train",
        mixinStandardHelpOptions = true,
        description = "Train a SAN, which segments by names that you choose, on a frozen CLIP.",
        footer = {"", "SIGTERM and SIGINT write a checkpoint and end with code 75: go on with --resume."})
public final class SegmentTrainCommand extends TrainingCommand<SanTraining> {
    @Parameters(arity = "0..1", paramLabel = "RECIPE", description = "YAML of keys; see docs/segmentation-training.md.")
    private Path recipe;

    @Option(names = "--clip", paramLabel = "MODEL", description = "Folder or file of a CLIP with a class token.")
    private Path clip;

    @Option(names = "--data", paramLabel = "DIR", description = "Root of detectron2's data sets.")
    private Path data;

    @Option(names = "--start", paramLabel = "SAN", description = "A SAN to go on from. Default: new weights.")
    private Path start;

    @Option(names = "--seed", description = "Of everything that is random.")
    private Long seed;

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

    @Option(names = "--max-bad-share", description = "Share of unusable pictures that training puts up with.")
    private Double maxBadShare;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any key of a recipe, for instance train.steps=100; may be given more than once.")
    private List<String> assignments = new ArrayList<>();

    @Override
    int train() throws JsonProcessingException {
        RecipeKeys keys = keys();
        SanRecipe asked = keys.as(SanRecipe.class); // wrong values are told before models are loaded
        require("clip", asked.clip());
        require("data", asked.data());
        requireFreeFolder();
        List<Path> files = recipe == null ? List.of() : List.of(recipe.toAbsolutePath());
        try (ProcessGroup group = processes().join(Placement.cpu(Precision.FP32), keys.toYaml())) {
            return run(group, () -> SanTraining.open(keys, launch(files), group));
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
            keys = keys.with(RecipeKeys.read(stored), stored.toString());
        }
        if (recipe != null) {
            keys = keys.with(RecipeKeys.read(recipe), recipe.toString());
        }
        keys = keys.with(options(keys), "command line");
        for (String assignment : assignments) {
            keys = keys.with(RecipeKeys.assignment(assignment), "--set " + assignment);
        }
        return keys.with(absolutePaths(keys), "recipe");
    }

    private ObjectNode options(RecipeKeys keys) {
        ObjectNode given = keys.root().objectNode();
        put(given, "clip", clip);
        put(given, "data", data);
        put(given, "start", start);
        put(given, "cache", cache);
        if (seed != null) {
            given.put("seed", seed);
        }
        if (crops != null) {
            given.put("crops", crops);
        }
        if (freezePositions) {
            given.put("freezePositions", true);
        }
        if (maxBadShare != null) {
            given.put("maxBadShare", maxBadShare);
        }
        return given;
    }

    private static void put(ObjectNode given, String key, Path path) {
        if (path != null) {
            given.put(key, path.toString());
        }
    }

    /** So that a run can be resumed from anywhere. */
    private static ObjectNode absolutePaths(RecipeKeys keys) {
        ObjectNode paths = keys.root().objectNode();
        for (String key : List.of("clip", "data", "start", "cache")) {
            if (keys.root().path(key).isTextual()) {
                paths.put(
                        key,
                        Path.of(keys.root().path(key).textValue())
                                .toAbsolutePath()
                                .toString());
            }
        }
        return paths;
    }

    private static void require(String key, String value) {
        if (value == null) {
            throw new BadInputException("recipe: " + key + " is not given; add --" + key + " or the key");
        }
    }
}
