package dev.diva.segment.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.clip.Clip;
import dev.diva.data.RasterImage;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.SharedMemory;
import dev.diva.engine.Tensors;
import dev.diva.segment.San;
import dev.diva.segment.SanCase;
import dev.diva.segment.SanPixels;
import dev.diva.segment.SanSettings;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import dev.diva.testing.Rasters;
import dev.diva.train.Checkpoints;
import dev.diva.train.Contribution;
import dev.diva.train.Optimizer;
import dev.diva.train.OptimizerSettings;
import dev.diva.train.StepRecord;
import dev.diva.train.TrainListener;
import dev.diva.train.TrainSettings;
import dev.diva.train.TrainState;
import dev.diva.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SAN's training step against its authors' code, with their points: pairs, losses, every gradient, and the weights after three steps. */
@Tag("golden")
class SanTrainTest {
    private static final Pattern NUMBER = Pattern.compile("\\d+(\\.\\d+)?(e-?\\d+)?");
    private static final int IGNORED = 255;
    private static final Golden GOLDEN = Golden.of("san-train");

    @TempDir
    private Path temporary;

    private JsonNode facts;

    @BeforeEach
    void readCase() {
        facts = GOLDEN.json("case.json");
    }

    private static double number(String text) {
        Matcher matcher = NUMBER.matcher(text);
        if (!matcher.find()) {
            throw new IllegalStateException("no number in " + text);
        }
        return Double.parseDouble(matcher.group());
    }

    private San san(Clip clip) {
        SanCase large = new SanCase("large");
        return San.trained(large.san(), 0, SanSettings.read(large.settings(temporary)), null, clip, true);
    }

    private SanObjective objective(San san) {
        Tensor classes = Tensors.ofRows(new SanCase("large").classes(san.clip()));
        return new SanObjective(
                san, true, classes, new SanLoss(facts.path("points").asInt()), SanTrainTest::given);
    }

    /** The points of a step in the order that the case states. */
    private static PointReading.Draws given(long step) {
        Queue<Tensor> points = new ArrayDeque<>();
        for (String depth : List.of("main", "aux")) {
            String prefix = "step" + step + "." + depth + ".";
            for (int i = 0; GOLDEN.inputs().info(prefix + "match_points." + i) != null; i++) {
                points.add(GOLDEN.input(prefix + "match_points." + i));
            }
            points.add(GOLDEN.input(prefix + "candidate_points"));
            points.add(GOLDEN.input(prefix + "random_points"));
        }
        return (rows, count) -> {
            Tensor next = points.remove();
            assertThat(next.shape()).containsExactly(rows, count, 2);
            return next;
        };
    }

    private static SanBatch batch(San san, long position) {
        List<RasterImage> images = Rasters.of(GOLDEN.input("images_u8"));
        Tensor maps = GOLDEN.input("label_maps");
        List<Target> targets = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            int[] labels = Arrays.stream(Tensors.toLongs(maps.select(0, i)))
                    .mapToInt(label -> (int) label)
                    .toArray();
            targets.add(Target.of(labels, images.get(i).width(), IGNORED));
        }
        double masks = targets.stream().mapToInt(Target::count).sum();
        return new SanBatch(
                List.of("a", "b", "c"),
                SanPixels.batch(images, san.clip().preprocessing()),
                null,
                targets,
                masks,
                position);
    }

    private static void shift(San san, double by) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            san.parameters().forEach((name, parameter) -> {
                if (SanCase.isBeforeRelu(name)) {
                    parameter.add_(new Scalar(by));
                }
            });
        }
    }

    @Test
    void lossesAndGradientsAreThoseOfTheAuthorsCode() {
        SanCase.onEitherSideOfAKink(this::checkGradients);
    }

    private void checkGradients(double shift) {
        double tolerance = facts.path("tolerance_abs_fp32").asDouble();
        try (PointerScope scope = new PointerScope();
                Clip clip = Clip.load(new SanCase("large").clip());
                San san = san(clip)) {
            shift(san, shift);
            SanBatch batch = batch(san, 0);
            double[] losses = objective(san)
                    .backward(
                            batch,
                            new RandomStreams(1),
                            Contribution.of(batch.names().size(), 1))
                    .values();
            assertThat(losses[0]).isCloseTo(expected("step0.total"), within(tolerance));
            List<String> names = objective(san).penalties();
            for (int i = 0; i < names.size(); i++) {
                assertThat(losses[i + 1]).isCloseTo(expected("step0." + names.get(i)), within(tolerance));
            }
            assertThat(san.parameters()).hasSize(facts.path("learns").size());
            san.parameters()
                    .forEach((name, parameter) -> Close.assertCloseToLargest(
                            parameter.grad(), GOLDEN.expected("step0.grad." + name), 1e-3, 1e-6));
        }
    }

    private static double expected(String name) {
        return Tensors.toFloats(GOLDEN.expected(name))[0];
    }

    @Test
    void pairsAreTheCheapest() {
        double tolerance = facts.path("tolerance_abs_fp32").asDouble();
        try (PointerScope scope = new PointerScope();
                Clip clip = Clip.load(new SanCase("large").clip());
                San san = san(clip)) {
            SanBatch batch = batch(san, 0);
            SanLoss loss = new SanLoss(facts.path("points").asInt());
            PointReading.Draws draws = given(0);
            for (String depth : List.of("main", "aux")) {
                String prefix = "step0." + depth + ".";
                Tensor logits = GOLDEN.expected(prefix + "class_logits");
                Tensor masks = GOLDEN.expected(prefix + "mask_logits");
                SanLoss.Points at = loss.draw(batch.targets(), masks.size(1), draws);
                List<List<Assignment.Pair>> pairs = loss.pairs(
                                List.of(new San.Output(masks, null, null, logits)), batch.targets(), List.of(at))
                        .get(0);
                List<Tensor> matched = new ArrayList<>();
                for (int row = 0; row < pairs.size(); row++) {
                    assertThat(pairs.get(row).stream().mapToLong(Assignment.Pair::query))
                            .containsExactly(boxed(prefix + "match." + row + ".query"));
                    assertThat(pairs.get(row).stream().mapToLong(Assignment.Pair::target))
                            .containsExactly(boxed(prefix + "match." + row + ".target"));
                    for (Assignment.Pair pair : pairs.get(row)) {
                        matched.add(masks.select(0, row).select(0, pair.query()));
                    }
                }
                Tensor points = PointReading.uncertain(
                        torch.stack(new TensorVector(matched.toArray(Tensor[]::new))), at.ofMasks());
                Close.assertClose(points, GOLDEN.expected(prefix + "loss_points"), 0, tolerance);
            }
        }
    }

    private static Long[] boxed(String name) {
        if (GOLDEN.expected().info(name).numel() == 0) {
            return new Long[0];
        }
        return Arrays.stream(Tensors.toLongs(GOLDEN.expected(name))).boxed().toArray(Long[]::new);
    }

    @Test
    void threeStepsOfTheLoopGiveTheAuthorsWeights() {
        SanCase.onEitherSideOfAKink(this::checkSteps);
    }

    private void checkSteps(double shift) {
        JsonNode optimizer = facts.path("optimizer");
        double lr = optimizer.path("lr").asDouble();
        double decay = number(optimizer.path("weight_decay").asText());
        String schedule = optimizer.path("schedule").asText();
        long total = (long) number(schedule.substring(schedule.indexOf("step/")));
        double clip = number(optimizer.path("clip").asText());
        SanRecipe.Train train = new SanRecipe.Train(
                (int) total,
                1,
                1,
                lr,
                List.of(0.9, 0.999),
                optimizer.path("eps").asDouble(),
                decay,
                clip);
        try (PointerScope scope = new PointerScope();
                Clip loaded = Clip.load(new SanCase("large").clip());
                San san = san(loaded)) {
            shift(san, shift);
            OptimizerSettings.AdamW settings = (OptimizerSettings.AdamW)
                    SanTraining.optimizer(train, san.parameters().keySet());
            checkDecay(settings.undecayed(), decay);
            List<StepRecord> steps = loop(san, train, settings);
            double[] rates = rates();
            for (StepRecord step : steps) {
                String prefix = "step" + step.step() + ".";
                assertThat(step.lr()).isCloseTo(rates[(int) step.step()], within(1e-9));
                assertThat(step.loss()).isCloseTo(expected(prefix + "total"), within(1e-3));
                double norm = expected(prefix + "gradient_norm");
                assertThat(step.gradNorm()).isCloseTo(norm, within(1e-3 * norm));
            }
            san.parameters().forEach((name, parameter) -> {
                Close.assertClose(parameter, GOLDEN.expected("step3.weight." + name), 0, 1e-4);
                double norm = expected("step3.norm." + name);
                assertThat(parameter.norm().item().toDouble()).isCloseTo(norm, within(1e-5 * norm));
            });
        }
    }

    private static double[] rates() {
        float[] values = Tensors.toFloats(GOLDEN.expected("learning_rate_of_each_step"));
        double[] rates = new double[values.length];
        for (int i = 0; i < rates.length; i++) {
            rates[i] = values[i];
        }
        return rates;
    }

    private void checkDecay(Set<String> undecayed, double decay) {
        facts.path("learns").forEach(line -> {
            String text = line.asText();
            String name = text.substring(0, text.indexOf(' '));
            double own = Double.parseDouble(text.substring(text.lastIndexOf(' ') + 1));
            assertThat(undecayed.contains(name)).as(name).isEqualTo(own == 0 && decay != 0);
        });
    }

    /** As many steps as the case has points for, of a schedule that may be longer. */
    private List<StepRecord> loop(San san, SanRecipe.Train train, OptimizerSettings settings) {
        int given = 0;
        while (GOLDEN.inputs().info("step" + given + ".main.candidate_points") != null) {
            given++;
        }
        int last = given - 1;
        List<StepRecord> steps = new ArrayList<>();
        List<Trainer<SanBatch>> running = new ArrayList<>();
        Trainer<SanBatch> trainer = new Trainer<>(
                new TrainSettings(train.rates(), 1, train.maxGradNorm(), 100),
                objective(san),
                position -> batch(san, position),
                new Checkpoints(temporary.resolve("checkpoints"), 1),
                new TrainListener() {
                    @Override
                    public void stepDone(StepRecord step) {
                        steps.add(step);
                        if (step.step() == last) {
                            running.get(0).stop();
                        }
                    }
                });
        running.add(trainer);
        try (Optimizer optimizer = settings.create(SharedMemory.none())) {
            trainer.train(new TrainState(0, san.parameters(), optimizer, new RandomStreams(1)));
        }
        return steps;
    }
}
