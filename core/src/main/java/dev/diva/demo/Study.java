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
 * Several recipes, each with several seeds, against the untouched CLIP; among them the control in which every image is judged by the
 * latent of another one. Finished trainings are kept, so that an interrupted study goes on.
 */
public final class Study {
    private static final String NO_GUARD = "guard.weight=0.0";
    private static final String OTHERS = "latents=shuffled"; // the control
    private static final String LORA = "trainable.mode=lora";
    private static final String LORA_RATE = "train.lr=1.0e-3";

    private final Places places;
    private final List<Long> seeds;
    private final Watcher watcher;
    private final Training training = new Training();

    /**
     * A recipe of the study.
     *
     * @param changes over the demo's recipe
     */
    public record Variant(String name, List<String> changes) {}

    /** What is compared, over the demo's own recipe; see docs/world.md. */
    static final List<Variant> VARIANTS = List.of(
            new Variant("published recap", List.of("recap.tokens=random", "recap.count=31", NO_GUARD)),
            new Variant("class token", List.of(NO_GUARD)),
            new Variant("class token, latents of other images", List.of(NO_GUARD, OTHERS)),
            new Variant("class token, LoRA", List.of(NO_GUARD, LORA, LORA_RATE)),
            new Variant("class token, LoRA, latents of other images", List.of(NO_GUARD, LORA, LORA_RATE, OTHERS)),
            new Variant("class token, guard (the demo)", List.of()));

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
        WorldScores.Summary before = scores.score(places.clip(), "before", places.scores());
        Map<Variant, List<WorldScores.Summary>> after = new LinkedHashMap<>();
        for (Variant variant : VARIANTS) {
            for (long seed : seeds) {
                Path out = places.root().resolve("study").resolve(slug(variant.name()) + "-seed-" + seed);
                watcher.stage(variant.name() + ", seed " + seed);
                if (training.isStopped() || !training.run(recipe(variant, seed), out, watcher)) {
                    return Optional.empty();
                }
                new Checkpoints(out.resolve("checkpoints"), 1).removeAll();
                after.computeIfAbsent(variant, unused -> new ArrayList<>())
                        .add(scores.score(out.resolve("clip"), "after", out.resolve("evaluations")));
            }
        }
        Path table = places.root().resolve("study.md");
        AtomicFile.writeString(table, new StudyTable(before, seeds).of(after));
        return Optional.of(table);
    }

    private RecipeTree recipe(Variant variant, long seed) {
        List<String> changes = new ArrayList<>(variant.changes());
        changes.add("seed=" + seed);
        return DemoRecipe.tree(places, changes);
    }

    static String slug(String name) {
        return name.toLowerCase(java.util.Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    }
}
