package dev.diva.demo;

import dev.diva.checkpoint.AtomicFile;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.train.Checkpoints;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Several recipes, each with several seeds, against the untouched CLIP; among them controls in which every image is judged by the
 * latent of another one. Finished trainings are kept, so that an interrupted study goes on.
 */
public final class Study {
    private final Places places;
    private final List<Long> seeds;
    private final Watcher watcher;
    private final Training training = new Training();

    /** What is compared, over the demo's own recipe; see docs/study.md. */
    static final List<Variant> VARIANTS = List.of(
            Variant.ANCHORED,
            Variant.WRONG_IMAGES,
            Variant.PUBLISHED,
            Variant.ANCHORED.with("anchored, no guard", "guard.weight=0.0"),
            Variant.ANCHORED.with("random projection", "projection.init=random", "recap.count=1"),
            Variant.ANCHORED.with("all noise levels", "timesteps.min=0"),
            Variant.ANCHORED.with("loss of the noise", "timesteps.weight=none"),
            Variant.ANCHORED.with("anchored, averaged 0.7", "average=0.7"),
            Variant.PUBLISHED.with("published recap, wrong images", "latents=shuffled"));

    /** @param out folder for everything that is made */
    public Study(Path out, List<Long> seeds, Watcher watcher) {
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
        watcher.stage("Scoring the untouched CLIP");
        WorldScores scores = new WorldScores(places.world(), "test");
        WorldScores.Summary before = scores.score(places.clip(), Demo.BEFORE, places.scores());
        Path table = places.root().resolve("study.md");
        Map<Variant, List<WorldScores.Summary>> after = new LinkedHashMap<>();
        for (Variant variant : VARIANTS) {
            for (long seed : seeds) {
                Path out = variant.in(places.root().resolve("study/seed-" + seed));
                watcher.stage(variant.name() + ", seed " + seed);
                if (training.isStopped() || !training.run(recipe(variant, seed), out, watcher)) {
                    return Optional.empty();
                }
                new Checkpoints(out.resolve("checkpoints"), 1).removeAll();
                after.computeIfAbsent(variant, unused -> new ArrayList<>())
                        .add(scores.score(out.resolve("clip"), Demo.AFTER, out.resolve("evaluations")));
            }
            AtomicFile.writeString(table, new StudyTable(before, seeds).of(after)); // of what is done
        }
        return Optional.of(table);
    }

    private RecipeTree recipe(Variant variant, long seed) {
        List<String> changes = new ArrayList<>(variant.changes());
        changes.add("seed=" + seed);
        return DemoRecipe.tree(places, changes);
    }
}
