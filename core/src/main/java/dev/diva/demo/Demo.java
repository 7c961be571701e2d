package dev.diva.demo;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.engine.ProcessGroup;
import dev.diva.posttrain.run.RunFiles;
import dev.diva.posttrain.run.RunReconstructions;
import dev.diva.report.ReportWriter;
import dev.diva.train.RunFolder;
import dev.diva.world.WorldRecipe;
import dev.diva.world.paint.SceneRenderer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The main job on the mini world: the blind CLIP is scored, post-trained on images alone by the denoising error of the small diffusion
 * model, scored again, and a page shows what changed, also under the control with wrong images and under the published recipe. Every finished part is kept, so that an interrupted demo goes on.
 */
public final class Demo {
    /** The world of the demo and of the study. */
    static final WorldRecipe WORLD = new WorldRecipe(1, SceneRenderer.SIDE, 0, 6_000, 400, 200, 2_000, 0.05);

    /** What is trained: the paper's recipe, half as long, the control, and the recipe that the page is about. */
    static final List<Variant> VARIANTS = List.of(
            Variant.PUBLISHED.with("published recap, 200 steps", "train.steps=200"),
            Variant.WRONG_IMAGES,
            Variant.ANCHORED);

    /** Names of the records of the untouched CLIP and of a run's. */
    static final String BEFORE = "before";

    static final String AFTER = "after";

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
        if (!Files.exists(places.scores().resolve(BEFORE + LAST_RECORD))) {
            watcher.stage("Scoring the untouched CLIP");
            scores().score(places.clip(), BEFORE, places.scores());
        }
        List<TwoAtOnce.Job> jobs = new ArrayList<>();
        for (Variant variant : VARIANTS) {
            jobs.add(0, own -> train(variant, own)); // the short one last, since it runs alone
        }
        if (!TwoAtOnce.run(jobs, watcher, training::stop)) {
            return Optional.empty();
        }
        watcher.stage("Painting what the CLIP sees");
        paint(places.run(Variant.ANCHORED));
        List<Path> runs = VARIANTS.stream().map(places::run).toList();
        AtomicFile.writeString(
                places.run(Variant.ANCHORED).resolve("notes.txt"), String.join("\n", DemoWords.of(places)) + "\n");
        ReportWriter.write(runs, places.report());
        return Optional.of(places.report());
    }

    /** Trains and scores; false when stopped before the end. */
    private boolean train(Variant variant, Watcher own) {
        own.stage("Post-training from " + WORLD.posttrain() + " images without captions: " + variant.name());
        Path run = places.run(variant);
        if (training.isStopped() || !training.run(DemoRecipe.tree(places, variant), run, own)) {
            return false;
        }
        score(run, own);
        return true;
    }

    private WorldScores scores() {
        return new WorldScores(places.world(), "test");
    }

    /** Writes the scores of a run's CLIP beside those of the untouched one, where they are not there yet. */
    private void score(Path run, Watcher own) {
        try (RunFolder folder = RunFolder.open(run, true, ProcessGroup.single())) {
            RunFiles files = new RunFiles(folder.path());
            if (!Files.exists(files.evaluations().resolve(AFTER + LAST_RECORD))) {
                own.stage("Scoring " + run.getFileName());
                copy(places.scores(), files.evaluations());
                scores().score(files.clip(), AFTER, files.evaluations());
            }
        } catch (IOException e) {
            throw new BadInputException(run + ": cannot be written: " + e, e);
        }
    }

    private void paint(Path run) {
        if (Files.exists(run.resolve("reconstructions/index.json"))) {
            return;
        }
        List<String> images = IntStream.range(0, PICTURES)
                .mapToObj(i -> places.world()
                        .resolve("retrieval")
                        .resolve(String.format(Locale.ROOT, "images/%06d.png", i))
                        .toString())
                .toList();
        RunReconstructions.of(run, places.diffusion(), images, RunReconstructions.Settings.DEFAULT)
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
