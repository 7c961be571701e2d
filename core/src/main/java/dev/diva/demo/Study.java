package dev.diva.demo;

import dev.diva.checkpoint.AtomicFile;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.train.Checkpoints;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Several recipes, each with several seeds, against the untouched CLIP, on two CLIPs; among them controls in which every image is judged by
 * the latent of another one. Finished trainings and scores are kept, so that an interrupted study goes on.
 */
public final class Study {
    private final List<Places> clips;
    private final List<Long> seeds;
    private final Watcher watcher;
    private final Training training = new Training();
    private final Map<Places, StudyTable> tables = new LinkedHashMap<>(); // guarded by this

    /** What is compared, over the demo's own recipe; see docs/study.md. */
    static final List<Variant> VARIANTS = List.of(
            Variant.ANCHORED,
            Variant.WRONG_IMAGES,
            Variant.ANCHORED.with("anchored, longer", "train.steps=800", "guard.weight=0.1", "guard.textsWeight=12"),
            Variant.PUBLISHED,
            Variant.ANCHORED.with("not averaged", "average=1.0"),
            Variant.ANCHORED.with("guard of all directions", "guard.weight=1.5", "guard.textsWeight=0.0"),
            Variant.ANCHORED.with("no guard", "guard.textsWeight=0.0"),
            Variant.ANCHORED.with("random projection", "projection.init=random", "recap.count=1"),
            Variant.ANCHORED.with("all noise levels", "timesteps.min=0"),
            Variant.ANCHORED.with("loss of the noise", "timesteps.weight=none"),
            Variant.PUBLISHED.with("published recap, wrong images", "latents=shuffled"));

    /** As the table has them. */
    static final Comparator<Variant> ORDER = Comparator.comparingInt(VARIANTS::indexOf);

    /** @param out folder for everything that is made */
    public Study(Path out, List<Long> seeds, Watcher watcher) {
        this.clips = Places.CLIPS.stream().map(clip -> new Places(out, clip)).toList();
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
     * @return the tables in Markdown, or nothing when stopped
     */
    public Optional<Path> run() {
        for (Places places : clips) {
            if (!DemoPreparation.make(places, Demo.WORLD, watcher, training::isStopped)) {
                return Optional.empty();
            }
            watcher.stage("Scoring the untouched CLIP");
            tables.put(
                    places,
                    new StudyTable(
                            scores(places)
                                    .kept(
                                            places.clip(),
                                            Demo.BEFORE,
                                            places.study(),
                                            places.study().resolve("before.json")),
                            seeds));
        }
        List<TwoAtOnce.Job> jobs = new ArrayList<>();
        for (Variant variant : VARIANTS) {
            for (long seed : seeds) {
                clips.forEach(places -> jobs.add(own -> train(places, variant, seed, own)));
            }
        }
        return TwoAtOnce.run(jobs, watcher, training::stop) ? Optional.of(file()) : Optional.empty();
    }

    private boolean train(Places places, Variant variant, long seed, Watcher own) {
        Path out = variant.in(places.study().resolve("seed-" + seed));
        own.stage(places.shipped() + ", " + variant.name() + ", seed " + seed);
        if (training.isStopped() || !training.run(recipe(places, variant, seed), out, own)) {
            return false;
        }
        new Checkpoints(out.resolve("checkpoints"), 1).removeAll();
        add(
                places,
                variant,
                scores(places)
                        .kept(
                                out.resolve("clip"),
                                Demo.AFTER,
                                out.resolve("evaluations"),
                                out.resolve("summary.json")));
        return true;
    }

    /** Writes the tables of what is done. */
    private synchronized void add(Places places, Variant variant, WorldScores.Summary after) {
        tables.get(places).add(variant, after);
        StringBuilder text = new StringBuilder();
        tables.forEach((clip, table) -> text.append("## ")
                .append(clip.shipped())
                .append("\n")
                .append(table)
                .append('\n'));
        AtomicFile.writeString(file(), text.toString());
    }

    private Path file() {
        return clips.get(0).root().resolve("study.md");
    }

    private static WorldScores scores(Places places) {
        return new WorldScores(places.world(), "test");
    }

    private static RecipeTree recipe(Places places, Variant variant, long seed) {
        List<String> changes = new ArrayList<>(variant.changes());
        changes.add("seed=" + seed);
        return DemoRecipe.tree(places, changes);
    }
}
