package dev.diva.demo;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.engine.ProcessGroup;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.posttrain.run.RunFiles;
import dev.diva.posttrain.run.RunReconstructions;
import dev.diva.report.ReportWriter;
import dev.diva.train.RunFolder;
import dev.diva.world.WorldRecipe;
import dev.diva.world.paint.SceneRenderer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The main job on the mini world: the blind CLIP is scored, post-trained on images alone by the denoising error of the small diffusion
 * model, scored again, and a page shows what changed. Every finished part is kept, so that an interrupted demo goes on.
 */
public final class Demo {
    /** The world of the demo and of the study. */
    static final WorldRecipe WORLD = new WorldRecipe(1, SceneRenderer.SIDE, 0, 6_000, 400, 100, 2_000, 0.05);

    private static final String LAST_RECORD = "-3-probe.json";
    private static final int PICTURES = 12;

    private final Places places;
    private final Watcher watcher;
    private final Training training = new Training();

    /** @param out folder for everything that is made */
    public Demo(Path out, Watcher watcher) {
        this.places = new Places(out);
        this.watcher = watcher;
    }

    /** Asks for a checkpoint and a clean end, from any thread. */
    public void stop() {
        training.stop();
    }

    /**
     * Runs what is not done yet.
     *
     * @return the page, or nothing when stopped
     */
    public Optional<Path> run() {
        if (!DemoPreparation.make(places, WORLD, watcher, training::isStopped)) {
            return Optional.empty();
        }
        RecipeTree recipe = DemoRecipe.tree(places, List.of());
        score("before", places.clip());
        watcher.stage("Post-training the CLIP from " + WORLD.posttrain() + " images without captions");
        if (training.isStopped() || !training.run(recipe, places.run(), watcher)) {
            return Optional.empty();
        }
        try (RunFolder folder = RunFolder.open(places.run(), true, ProcessGroup.single())) {
            RunFiles files = new RunFiles(folder.path());
            score("after", files.clip());
            copy(places.scores(), files.evaluations());
            watcher.stage("Painting what the CLIP sees");
            paint();
            Files.writeString(
                    places.run().resolve("notes.txt"), String.join("\n", DemoWords.of(places.scores())) + "\n");
        } catch (IOException e) {
            throw new BadInputException(places.root() + ": cannot be written: " + e, e);
        }
        ReportWriter.write(List.of(places.run()), places.report());
        return Optional.of(places.report());
    }

    private void score(String name, Path clip) {
        if (!Files.exists(places.scores().resolve(name + LAST_RECORD))) {
            watcher.stage("Scoring the CLIP " + name + " post-training");
            new WorldScores(places.world(), "test").score(clip, name, places.scores());
        }
    }

    private void paint() {
        if (Files.exists(places.run().resolve("reconstructions/index.json"))) {
            return;
        }
        List<String> images = IntStream.range(0, PICTURES)
                .mapToObj(i -> places.world()
                        .resolve("retrieval")
                        .resolve(String.format(Locale.ROOT, "images/%06d.png", i))
                        .toString())
                .toList();
        RunReconstructions.of(places.run(), places.diffusion(), images, RunReconstructions.Settings.DEFAULT)
                .write(() -> {});
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file :
                    files.filter(file -> file.toString().endsWith(".json")).toList()) {
                AtomicFile.copy(file, to.resolve(file.getFileName()));
            }
        }
    }
}
