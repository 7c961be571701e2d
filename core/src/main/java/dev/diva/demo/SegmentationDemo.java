package dev.diva.demo;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.clip.Clip;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessGroup;
import dev.diva.eval.Result;
import dev.diva.eval.segmentation.Layout;
import dev.diva.eval.segmentation.PixelCounts;
import dev.diva.eval.segmentation.SegmentationRun;
import dev.diva.eval.segmentation.SegmentationScores;
import dev.diva.eval.segmentation.SegmentationSet;
import dev.diva.report.LabelChanges;
import dev.diva.segment.San;
import dev.diva.segment.SanSegmenter;
import dev.diva.segment.SavedPictures;
import dev.diva.segment.TextClasses;
import dev.diva.segment.train.SanRecipe;
import dev.diva.segment.train.SanTraining;
import dev.diva.train.Launch;
import dev.diva.train.RecipeKeys;
import dev.diva.train.RunFolder;
import dev.diva.train.TrainingRun;
import dev.diva.world.SegmentationScenes;
import dev.diva.world.WorldRecipe;
import dev.diva.world.scene.Split;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Whether the repaired CLIP of the mini world segments better: a small SAN on the untouched and on the repaired one, the same seeds, data and
 * recipe for both, scored on scenes that neither has seen. Finished trainings are kept.
 */
public final class SegmentationDemo {
    /** What is trained on, and scored. */
    static final int TRAINED = 800;

    static final int SCORED = 300;

    private static final List<String> MODELS = List.of("before", "after");

    private final Places places;
    private final List<Long> seeds;
    private final Watcher watcher;
    private final Training training = new Training();

    /** @param out folder for everything that is made */
    public SegmentationDemo(Path out, List<Long> seeds, Watcher watcher) {
        this.places = new Places(out);
        this.seeds = List.copyOf(seeds);
        this.watcher = watcher;
    }

    /** Asks for a checkpoint and a clean end, from any thread. */
    public void stop() {
        training.stop();
    }

    /**
     * Runs what is not done yet.
     *
     * @return the table in Markdown, or nothing when stopped
     */
    public Optional<Path> run() {
        if (!DemoPreparation.make(places, Demo.WORLD, watcher, training::isStopped)) {
            return Optional.empty();
        }
        watcher.stage("Post-training the CLIP from " + Demo.WORLD.posttrain() + " images without captions");
        if (training.isStopped()
                || !training.run(DemoRecipe.tree(places, Variant.ANCHORED), places.run(Variant.ANCHORED), watcher)) {
            return Optional.empty();
        }
        return compare(List.of(places.clip(), places.repaired()), Demo.WORLD, TRAINED, SCORED, List.of());
    }

    /**
     * Trains and scores SANs on two CLIPs.
     *
     * @param clips before and after
     * @param changes {@code key=value} over the recipe
     */
    Optional<Path> compare(List<Path> clips, WorldRecipe world, int trained, int scored, List<String> changes) {
        Path data = places.root().resolve("segmentation");
        scenes(data, world, Split.PROBE_TRAIN, trained);
        scenes(data, world, Split.PROBE_TEST, scored);
        SegmentationSet set = SegmentationSet.open(
                Layout.named(SegmentationScenes.layout(data, Split.PROBE_TEST).toString()), data);
        List<List<Result>> results = new ArrayList<>();
        for (long seed : seeds) {
            List<Result> ofSeed = new ArrayList<>();
            List<PixelCounts> first = null;
            SavedPictures before = null;
            for (int i = 0; i < MODELS.size(); i++) {
                Path run = data.resolve(MODELS.get(i) + "-seed-" + seed);
                watcher.stage("SAN on the CLIP " + MODELS.get(i) + " post-training, seed " + seed);
                if (training.isStopped() || !train(recipe(clips.get(i), data, seed, changes), run)) {
                    return Optional.empty();
                }
                SavedPictures pictures = new SavedPictures(set, run.resolve("pictures"));
                List<PixelCounts> counts = counts(clips.get(i), run, set, pictures);
                ofSeed.add(SegmentationScores.result(MODELS.get(i), set, counts, first));
                if (first == null) {
                    first = counts;
                    before = pictures;
                } else {
                    Path page = data.resolve("changes-seed-" + seed + ".html");
                    Path truth = data.resolve("truth").resolve(set.layout().name());
                    LabelChanges.write(set, first, counts, pictures.beside(before, truth), page);
                }
            }
            results.add(ofSeed);
        }
        Path table = places.root().resolve("segmentation.md");
        AtomicFile.writeString(table, SegmentationWords.table(seeds, results));
        return Optional.of(table);
    }

    private void scenes(Path data, WorldRecipe world, Split split, int count) {
        if (!SegmentationScenes.isIn(data, split)) {
            watcher.stage("Painting " + count + " scenes with labels");
            SegmentationScenes.write(data, world, split, count);
        }
    }

    private static RecipeKeys recipe(Path clip, Path data, long seed, List<String> changes) {
        RecipeKeys keys = SanRecipe.published().with(resource().root(), "segmentation.yaml");
        String set = SegmentationScenes.layout(data, Split.PROBE_TRAIN)
                .toAbsolutePath()
                .toString();
        ObjectNode own = keys.root().objectNode();
        own.put("clip", clip.toAbsolutePath().toString());
        own.put("data", data.toAbsolutePath().toString());
        own.put("set", set);
        own.put("cache", data.resolve("views").toAbsolutePath().toString());
        own.put("seed", seed);
        keys = keys.with(own, "demo");
        for (String change : changes) {
            keys = keys.with(RecipeKeys.assignment(change), change);
        }
        return keys;
    }

    private static RecipeKeys resource() {
        try (InputStream stream = SegmentationDemo.class.getResourceAsStream("segmentation.yaml")) {
            return RecipeKeys.parse(stream);
        } catch (IOException e) {
            throw new IllegalStateException("segmentation.yaml is in the jar", e);
        }
    }

    private boolean train(RecipeKeys recipe, Path out) {
        boolean isBegun = RunFolder.isRun(out);
        if (isBegun && TrainingRun.isFinished(out)) {
            return true;
        }
        try (SanTraining run =
                SanTraining.open(recipe, new Launch(out, isBegun, List.of("demo"), List.of()), ProcessGroup.single())) {
            return training.run(run, watcher);
        }
    }

    private static List<PixelCounts> counts(Path clip, Path run, SegmentationSet set, SavedPictures pictures) {
        Clip.Options oneThread = new Clip.Options(Precision.FP32, 1, 16, null);
        try (Clip loaded = Clip.load(clip, oneThread);
                San san = San.load(San.inRun(run), null, loaded)) {
            float[][] classes = new TextClasses().vectors(loaded, set.layout().classes());
            return new SegmentationRun(set, run.resolve("counts.jsonl"), "SAN of the mini world", ProcessGroup.single())
                    .counts(new SanSegmenter(san, classes), pictures, (done, all) -> {});
        }
    }
}
