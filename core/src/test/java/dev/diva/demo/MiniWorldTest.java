package dev.diva.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.diva.train.Checkpoints;
import dev.diva.train.StepRecord;
import dev.diva.train.TrainListener;
import dev.diva.world.WorldRecipe;
import dev.diva.world.WorldWriter;
import dev.diva.world.paint.SceneRenderer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole system on the mini world, short: the recipe of the demo without its guard, 40 steps, and its control. The first loss and the
 * scores are recorded, so that other pixels, another noise schedule or another recap are seen; that the loss falls shows the sign of the
 * gradient; that wrong images cost more shows that the images are what is learned from.
 */
class MiniWorldTest {
    private static final WorldRecipe WORLD = new WorldRecipe(1, SceneRenderer.SIDE, 0, 512, 100, 10, 40, 0.05);
    private static final int STEPS = 40;

    private static final double FIRST_LOSS = 0.322478;
    private static final double PAIRS = 25 / 90.0;
    private static final double ORDERED = 65 / 90.0;
    private static final double GIST = 0.84;

    @TempDir
    private static Path folder;

    private static Places places;
    private static List<Double> own;
    private static List<Double> shuffled;

    @BeforeAll
    static void train() {
        places = new Places(folder);
        DemoPreparation.make(places, WORLD, new Losses(), () -> false);
        assertThat(new WorldWriter(WORLD).isIn(places.world())).isTrue();
        Losses first = new Losses();
        Losses second = new Losses();
        assertThat(TwoAtOnce.run(
                        List.of(
                                watcher -> train(first, "own"),
                                watcher -> train(second, "shuffled", "latents=shuffled")),
                        first,
                        () -> {}))
                .isTrue();
        own = first.values;
        shuffled = second.values;
    }

    @Test
    void firstLossIsTheRecordedOne() {
        assertThat(own.get(0)).isCloseTo(FIRST_LOSS, within(1e-4 * FIRST_LOSS));
    }

    @Test
    void lossFalls() {
        assertThat(mean(own, 30, STEPS)).isLessThan(0.95 * mean(own, 0, 10));
    }

    /** Latents of other images cannot be told by the tokens, so their loss stays above that of the right ones. */
    @Test
    void wrongImagesCostMore() {
        assertThat(mean(shuffled, 30, STEPS)).isGreaterThan(1.5 * mean(own, 30, STEPS));
    }

    /** What was learned is about the image at hand: judged without learning, the right image beats another one. */
    @Test
    void trainedTowerTellsTheRightImageFromAnother() {
        String clip = "clip=" + folder.resolve("own/clip");
        String projection = "projection.init=" + folder.resolve("own/projection.safetensors");
        double right = mean(losses("right", clip, projection, "train.steps=8", "train.lr=0.0"), 0, 8);
        double wrong =
                mean(losses("wrong", clip, projection, "train.steps=8", "train.lr=0.0", "latents=shuffled"), 0, 8);
        assertThat(wrong).isGreaterThan(2 * right);
    }

    @Test
    void untouchedClipHasTheRecordedScores() {
        WorldScores.Summary scores =
                new WorldScores(places.world(), "test").score(places.clip(), "before", folder.resolve("scores"));
        assertThat(scores.pairs()).isCloseTo(PAIRS, within(0.012)); // one pair of 90
        assertThat(scores.ordered()).isCloseTo(ORDERED, within(0.012));
        assertThat(scores.gist()).isCloseTo(GIST, within(0.011)); // one image of 100
    }

    /** The recipes of the study, short: a denoiser from scratch behind the world's own autoencoder, and the tower taught by it and by DCR. */
    @Test
    void methodsOfTwoStagesTrainFromTheirFirst() {
        List<Double> scratch = stage("genhancer-1", StudyVariants.GENHANCER_STAGE1, 30, "train.warmupSteps=3");
        assertThat(mean(scratch, 25, 30)).isLessThan(0.9 * mean(scratch, 0, 5));
        stage("dcr-1", StudyVariants.DCR_STAGE1, 2, "train.batch=4");
        new Checkpoints(folder.resolve("dcr-1/checkpoints"), 1).removeAll(); // as the study does
        assertThat(stage("dcr-1", StudyVariants.DCR_STAGE1, 2, "train.batch=4")).isEmpty(); // found finished
        for (Variant method : StudyVariants.METHODS) {
            assertThat(stage(
                            method.name(),
                            method,
                            2,
                            "train.batch=4",
                            "stage1=" + folder.resolve(method.stage1().preset() + "-1")))
                    .allMatch(Double::isFinite);
        }
    }

    private static List<Double> stage(String name, Variant variant, int steps, String... more) {
        List<String> all = new ArrayList<>(List.of("train.steps=" + steps));
        all.addAll(Arrays.asList(more));
        Losses losses = new Losses();
        assertThat(new Training()
                        .run(
                                DemoRecipe.tree(places, variant, all.toArray(String[]::new)),
                                folder.resolve(name),
                                losses))
                .isTrue();
        return losses.values;
    }

    private static List<Double> losses(String name, String... changes) {
        Losses losses = new Losses();
        assertThat(train(losses, name, changes)).isTrue();
        return losses.values;
    }

    private static boolean train(Losses losses, String name, String... changes) {
        List<String> all = new ArrayList<>(List.of(
                "guard.textsWeight=0.0",
                "average=1.0",
                "train.steps=" + STEPS,
                "train.projectionSteps=0",
                "train.lr=1.0e-3"));
        all.addAll(Arrays.asList(changes));
        return new Training()
                .run(
                        DemoRecipe.tree(places, Variant.ANCHORED.with(name, all.toArray(String[]::new))),
                        folder.resolve(name),
                        losses);
    }

    private static double mean(List<Double> values, int from, int to) {
        return values.subList(from, to).stream()
                .mapToDouble(Double::doubleValue)
                .average()
                .orElseThrow();
    }

    private static final class Losses implements Watcher, TrainListener {
        private final List<Double> values = new ArrayList<>();

        @Override
        public void stage(String words) {}

        @Override
        public TrainListener training(long firstStep, long steps) {
            return this;
        }

        @Override
        public void stepDone(StepRecord step) {
            values.add(step.loss());
        }
    }
}
