package dev.diva.demo;

import dev.diva.checkpoint.AtomicFile;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.report.RunCost;
import dev.diva.train.Checkpoints;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.commons.csv.CSVFormat;

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
        Map<Boolean, List<Variant>> staged =
                StudyVariants.ALL.stream().collect(Collectors.partitioningBy(variant -> variant.stage1() != null));
        boolean done = atOnce(seeded(staged.get(false)))
                && atOnce(firstStages(staged.get(true)))
                && atOnce(seeded(staged.get(true)));
        return done ? Optional.of(file()) : Optional.empty();
    }

    private boolean atOnce(List<TwoAtOnce.Job> jobs) {
        return TwoAtOnce.run(jobs, watcher, training::stop);
    }

    private List<TwoAtOnce.Job> seeded(List<Variant> variants) {
        List<TwoAtOnce.Job> jobs = new ArrayList<>();
        for (Variant variant : variants) {
            for (long seed : seeds) {
                clips.forEach(places -> jobs.add(own -> trainAndScore(places, variant, seed, own)));
            }
        }
        return jobs;
    }

    /** One of a CLIP for all seeds. */
    private List<TwoAtOnce.Job> firstStages(List<Variant> variants) {
        List<TwoAtOnce.Job> jobs = new ArrayList<>();
        for (Variant stage1 : variants.stream().map(Variant::stage1).distinct().toList()) {
            for (Places places : clips) {
                jobs.add(own -> train(places, stage1, DemoRecipe.tree(places, stage1), stage1(places, stage1), own));
            }
        }
        return jobs;
    }

    private boolean train(Places places, Variant variant, RecipeTree recipe, Path out, Watcher own) {
        own.stage(places.shipped() + ", " + variant.name() + ", seed "
                + recipe.root().path("seed").asLong());
        if (training.isStopped() || !training.run(recipe, out, own)) {
            return false;
        }
        new Checkpoints(out.resolve("checkpoints"), 1).removeAll();
        return true;
    }

    private boolean trainAndScore(Places places, Variant variant, long seed, Watcher own) {
        Path out = variant.in(places.study().resolve("seed-" + seed));
        if (!train(places, variant, recipe(places, variant, seed), out, own)) {
            return false;
        }
        RunCost cost = RunCost.read(out);
        add(
                places,
                variant,
                seed,
                scores(places)
                        .kept(out.resolve("clip"), Demo.AFTER, out.resolve("evaluations"), out.resolve("summary.json")),
                variant.stage1() == null ? cost : cost.plus(RunCost.read(stage1(places, variant.stage1()))));
        return true;
    }

    /** Writes the tables of what is done, and a row of {@code study.csv} for each training. */
    private synchronized void add(Places places, Variant variant, long seed, WorldScores.Summary after, RunCost cost) {
        tables.get(places).add(variant, seed, after, cost);
        StringBuilder text = new StringBuilder();
        tables.forEach((clip, table) -> text.append("## ")
                .append(clip.shipped())
                .append("\n")
                .append(table)
                .append('\n'));
        AtomicFile.writeString(file(), text.toString());
        List<List<String>> rows = new ArrayList<>();
        rows.add(tables.get(places).titles());
        tables.forEach((clip, table) -> rows.addAll(table.csv(clip.shipped())));
        AtomicFile.writeString(
                clips.get(0).root().resolve("study.csv"),
                rows.stream()
                        .map(row -> CSVFormat.DEFAULT.format(row.toArray()) + '\n')
                        .collect(Collectors.joining()));
    }

    private Path file() {
        return clips.get(0).root().resolve("study.md");
    }

    private static WorldScores scores(Places places) {
        return new WorldScores(places.world(), "test");
    }

    private static RecipeTree recipe(Places places, Variant variant, long seed) {
        List<String> own = new ArrayList<>(List.of("seed=" + seed));
        if (variant.stage1() != null) {
            own.add("stage1=" + stage1(places, variant.stage1()).toAbsolutePath());
        }
        return DemoRecipe.tree(places, variant, own.toArray(String[]::new));
    }

    private static Path stage1(Places places, Variant stage1) {
        return stage1.in(places.study().resolve("stage-1"));
    }
}
