package dev.diva.world;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.ScenePair;
import dev.diva.world.scene.ScenePairs;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Writes a world as folders:
 *
 * <pre>
 * pretrain/*.tar       webdataset: NAME.png, NAME.txt (web caption), NAME.json (full caption and gist)
 * posttrain/*.tar      NAME.png alone
 * retrieval/           images/ and captions.csv
 * validation/, test/   MMVP-VLM folders
 * probe-train/, probe-test/   images/ and labels.csv
 * scenes.png, pairs.png   to be looked at
 * world.json           the recipe; under "unfinished" until all is written
 * </pre>
 */
public final class WorldWriter {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    private static final ObjectMapper LINE = new ObjectMapper();

    private static final String RECIPE = "world.json";

    /** Told what is being written. */
    public interface Progress {
        /** The named part of the world is about to be written. */
        void starting(String part);
    }

    private final WorldRecipe recipe;
    private final SceneRenderer renderer;

    public WorldWriter(WorldRecipe recipe) {
        this.recipe = recipe;
        this.renderer = new SceneRenderer(recipe.side());
    }

    /** Writes everything that the recipe asks for. */
    public void write(Path folder, Progress progress) {
        LabelledSets sets = new LabelledSets(renderer);
        if (!isBegun(folder)) {
            AtomicFolder.requireFree(folder, "choose another --out");
        }
        try {
            Files.createDirectories(folder);
            Files.write(folder.resolve(RECIPE), unfinished());
            part(folder, Split.PRETRAIN, recipe.pretrain(), progress, this::captioned);
            part(folder, Split.POSTTRAIN, recipe.posttrain(), progress, this::images);
            part(folder, Split.RETRIEVAL, recipe.retrieval(), progress, sets::retrieval);
            part(folder, Split.VALIDATION, recipe.pairs(), progress, sets::pairs);
            part(folder, Split.TEST, recipe.pairs(), progress, sets::pairs);
            part(folder, Split.PROBE_TRAIN, recipe.probe(), progress, sets::probe);
            part(folder, Split.PROBE_TEST, recipe.probe() / 2, progress, sets::probe);
            progress.starting("sheets");
            sheets(folder);
            Files.write(folder.resolve(RECIPE), recipeFile());
        } catch (IOException e) {
            throw new BadInputException(
                    "world: cannot write to " + folder + " (" + e + "); free space or choose another folder", e);
        } catch (UncheckedIOException e) {
            throw new BadInputException("world: cannot write to " + folder + " (" + e.getCause() + ")", e);
        }
    }

    /** The folder holds all of this very world, so that there is nothing to write. */
    public boolean isIn(Path folder) {
        try {
            Path file = folder.resolve(RECIPE);
            return Files.exists(file) && Arrays.equals(Files.readAllBytes(file), recipeFile());
        } catch (IOException e) {
            return false;
        }
    }

    /** The folder holds a part of this very world, of which every file is made again. */
    private boolean isBegun(Path folder) {
        try {
            Path file = folder.resolve(RECIPE);
            return Files.exists(file) && Arrays.equals(Files.readAllBytes(file), unfinished());
        } catch (IOException e) {
            return false;
        }
    }

    private byte[] recipeFile() throws IOException {
        return JSON.writeValueAsBytes(recipe);
    }

    private byte[] unfinished() throws IOException {
        return JSON.writeValueAsBytes(Map.of("unfinished", recipe));
    }

    /** How a split becomes files. */
    private interface Part {
        void write(Path folder, SceneSampler sampler, int count) throws IOException;
    }

    private void part(Path folder, Split split, int count, Progress progress, Part part) throws IOException {
        if (count > 0) {
            progress.starting(split.stream());
            Path own = Files.createDirectories(folder.resolve(split.stream()));
            part.write(own, new SceneSampler(recipe.seed(), split), count);
        }
    }

    private void captioned(Path folder, SceneSampler sampler, int count) throws IOException {
        try (Shards shards = new Shards(folder)) {
            Painted.each(count, sampler::scene, renderer, (index, painted) -> {
                Scene scene = painted.scene();
                String web = Captions.web(scene, recipe.named(), sampler.stream("caption", index));
                ObjectNode more = LINE.createObjectNode()
                        .put("full", Captions.full(scene))
                        .put("gist", Captions.gist(scene));
                shards.start(index);
                shards.add(index, "json", LINE.writeValueAsBytes(more));
                shards.add(index, "png", painted.png());
                shards.add(index, "txt", web.getBytes(StandardCharsets.UTF_8));
            });
        }
    }

    private void images(Path folder, SceneSampler sampler, int count) throws IOException {
        try (Shards shards = new Shards(folder)) {
            Painted.each(count, sampler::scene, renderer, (index, painted) -> {
                shards.start(index);
                shards.add(index, "png", painted.png());
            });
        }
    }

    private void sheets(Path folder) throws IOException {
        SceneSampler scenes = new SceneSampler(recipe.seed(), Split.PRETRAIN);
        new ContactSheet(16, 2, 1)
                .write(
                        LongStream.range(0, 160)
                                .mapToObj(index -> renderer.render(scenes.scene(index)))
                                .toList(),
                        folder.resolve("scenes.png"));
        List<BufferedImage> images = new ArrayList<>();
        for (ScenePair pair : new ScenePairs(new SceneSampler(recipe.seed(), Split.VALIDATION)).pairs(8)) {
            images.add(renderer.render(pair.first()));
            images.add(renderer.render(pair.second()));
        }
        new ContactSheet(16, 2, 2).write(images, folder.resolve("pairs.png"));
    }
}
