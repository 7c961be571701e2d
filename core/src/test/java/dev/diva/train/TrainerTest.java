package dev.diva.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.engine.BatchShard;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainerTest {
    private static final Schedule SCHEDULE = new Schedule(Schedule.Kind.COSINE, 0.1, 2, 10);
    private static final TrainSettings SETTINGS = new TrainSettings(SCHEDULE, 2, 1.0, 3);

    @TempDir
    Path folder;

    @Test
    void warmupStartsAtZeroAndCosineEndsNearZero() {
        Schedule schedule = new Schedule(Schedule.Kind.COSINE, 0.05, 2, 5);
        assertThat(List.of(schedule.rate(0), schedule.rate(1), schedule.rate(2)))
                .containsExactly(0.0, 0.025, 0.05);
        assertThat(schedule.rate(4)).isEqualTo(0.05 * 0.5 * (1 + Math.cos(Math.PI * 2 / 3)));
        assertThat(new Schedule(Schedule.Kind.LINEAR, 1, 0, 4).rate(3)).isEqualTo(0.25);
        assertThat(Schedule.warmupSteps(0.005, 4600)).isEqualTo(23);
    }

    @Test
    void aParameterGroupHasItsOwnRateAndFirstStep() {
        Schedule constant = new Schedule(Schedule.Kind.CONSTANT, 0.1, 0, 10);
        Schedule projection = new Schedule(Schedule.Kind.CONSTANT, 0.7, 0, 10);
        List<ParameterGroup> groups =
                List.of(new ParameterGroup("visual_proj.", projection, 0), new ParameterGroup("", constant, 5));
        TrainSettings settings = new TrainSettings(groups, 1, Double.NaN, 3, false);

        assertThat(settings.rate("visual_proj.weight", 4)).isEqualTo(0.7);
        assertThat(settings.rate("clip.visual_projection.weight", 4)).isEqualTo(0.1);
        assertThat(settings.learns("visual_proj.weight", 4)).isTrue();
        assertThat(settings.learns("clip.visual_projection.weight", 4)).isFalse();
        assertThat(settings.learns("clip.visual_projection.weight", 5)).isTrue();
    }

    @Test
    void sgdKeepsTheFirstGradientAsMomentum() {
        // torch: buffer 2, then 0.9 * 2 + 4; weights 1 - 0.2, then 0.8 - 0.1 * 5.8
        assertThat(twoUpdates(new Sgd(0.9, 0))).isEqualTo(0.22f, org.assertj.core.data.Offset.offset(1e-6f));
    }

    @Test
    void adamWFollowsItsClosedForm() {
        // step 1 moves by the rate; step 2 by 0.1 * (0.58 / 0.19) / sqrt(0.019996 / 0.001999)
        double decayed = (1 * 0.999 - 0.1) * 0.999;
        double expected = decayed - 0.1 * (0.58 / 0.19) / Math.sqrt(0.019996 / 0.001999);
        assertThat(twoUpdates(new AdamW(0.9, 0.999, 1e-8, 0.01)))
                .isEqualTo((float) expected, org.assertj.core.data.Offset.offset(1e-5f));
    }

    @Test
    void resumedRunGivesSameBitsForEachOptimizer() {
        for (String optimizer : List.of("sgd", "adamw")) {
            float[] straight = run(folder.resolve(optimizer + "-straight"), optimizer, Integer.MAX_VALUE);
            for (int stopAt = 0; stopAt < 20; stopAt += 3) {
                Path resumed = folder.resolve(optimizer + stopAt);
                run(resumed, optimizer, stopAt);
                assertThat(run(resumed, optimizer, Integer.MAX_VALUE)).isEqualTo(straight);
            }
        }
    }

    @Test
    void damagedCheckpointIsPassedOver() throws Exception {
        run(folder, "sgd", Integer.MAX_VALUE);
        Checkpoints checkpoints = new Checkpoints(folder, 2);
        assertThat(checkpoints.list())
                .extracting(p -> p.getFileName().toString())
                .containsExactly("step-00000009", "step-00000010");
        Files.write(folder.resolve("step-00000010/masters.safetensors"), new byte[7]);
        assertThat(checkpoints.newestIntact()).contains(folder.resolve("step-00000009"));
    }

    @Test
    void infiniteLossLeavesTheWeightsAndNamesTheImages() {
        try (PointerScope scope = new PointerScope();
                Sgd sgd = new Sgd(0.9, 0)) {
            Tensor w = weight();
            Objective<Images> objective =
                    new OwnGradient((batch, streams, n) -> Losses.of().and(Double.NaN));
            Trainer<Images> trainer = new Trainer<>(
                    SETTINGS, objective, TrainerTest::batch, new Checkpoints(folder, 2), new TrainListener() {});
            TrainState state = new TrainState(0, Map.of("w", w), sgd, new RandomStreams(1));
            assertThatThrownBy(() -> trainer.train(state))
                    .isInstanceOf(DivergedException.class)
                    .hasMessageContaining("step 0")
                    .hasMessageContaining("image-0");
            assertThat(Tensors.toFloats(w)).containsExactly(1, 1, 1);
        }
    }

    @Test
    void infiniteGradientOfAFiniteLossNamesTheTensorAndTheImagesOfItsMicroBatch() {
        try (PointerScope scope = new PointerScope();
                Sgd sgd = new Sgd(0.9, 0)) {
            Tensor fine = weight();
            Tensor w = weight();
            List<Float> drawn = new ArrayList<>();
            Objective<Images> objective = new OwnGradient((batch, streams, n) -> {
                Tensor draw = RandomStreams.randn(streams.stream("draws"), 3);
                drawn.add(Tensors.toFloats(draw)[0]);
                Tensor loss = fine.add(w).mul(draw).sum();
                if (batch.names().equals(List.of("image-7"))) {
                    loss = loss.add(w.sub(w.detach()).sqrt().sum()); // zero, with an infinite slope
                }
                loss.backward();
                return Losses.of(loss);
            });
            Map<String, Tensor> parameters = new TreeMap<>(Map.of("fine", fine, "w", w));
            Trainer<Images> trainer = new Trainer<>(
                    SETTINGS, objective, TrainerTest::batch, new Checkpoints(folder, 2), new TrainListener() {});
            TrainState state = new TrainState(0, parameters, sgd, new RandomStreams(1));
            assertThatThrownBy(() -> trainer.train(state))
                    .isInstanceOf(DivergedException.class)
                    .hasMessage("gradient of w is not finite in step 3, images image-7; the weights are those from"
                            + " before this step, last checkpoint: step-00000003. Try a lower rate");
            assertThat(drawn.subList(8, 10)).as("the step once more").isEqualTo(drawn.subList(6, 8));
            assertThat(Tensors.toFloats(w)).doesNotContain(Float.NaN).isEqualTo(Tensors.toFloats(fine));
        }
    }

    @Test
    void normThatOverflowsStopsAsWell() {
        try (PointerScope scope = new PointerScope();
                Sgd sgd = new Sgd(0.9, 0)) {
            Tensor w = weight();
            Objective<Images> objective = new OwnGradient((batch, streams, n) -> {
                w.mul(new Scalar(3e38)).sum().backward(); // two micro-batches of it are too much for fp32
                return Losses.of().and(1);
            });
            Trainer<Images> trainer = new Trainer<>(
                    SETTINGS, objective, TrainerTest::batch, new Checkpoints(folder, 2), new TrainListener() {});
            TrainState state = new TrainState(0, Map.of("w", w), sgd, new RandomStreams(1));
            assertThatThrownBy(() -> trainer.train(state))
                    .hasMessageStartingWith(
                            "gradient norm is Infinity in step 0, with finite gradients of each" + " micro-batch; ")
                    .hasMessageContaining("last checkpoint: none");
            assertThat(Tensors.toFloats(w)).containsExactly(1, 1, 1);
        }
    }

    private static float twoUpdates(Optimizer optimizer) {
        try (PointerScope scope = new PointerScope();
                optimizer) {
            Tensor w = Tensors.of(new float[] {1}, 1).set_requires_grad(true);
            for (int step = 0; step < 2; step++) {
                w.mutable_grad().reset();
                w.mul(new Scalar(2.0 * (step + 1))).sum().backward();
                optimizer.update(Map.of("w", w), name -> 0.1, 1);
            }
            return Tensors.toFloats(w)[0];
        }
    }

    /** Trains from the newest checkpoint, asked to stop in a micro-batch; the final weights. */
    private static float[] run(Path folder, String name, int stopAt) {
        try (PointerScope scope = new PointerScope();
                Optimizer optimizer = name.equals("sgd") ? new Sgd(0.9, 0.01) : new AdamW(0.9, 0.999, 1e-8, 0.01)) {
            Tensor w = weight();
            Checkpoints checkpoints = new Checkpoints(folder, 2);
            TrainState fresh = new TrainState(0, Map.of("w", w), optimizer, new RandomStreams(1));
            TrainState state = checkpoints
                    .newestIntact()
                    .map(path -> Checkpoints.restore(path, fresh))
                    .orElse(fresh);
            List<Trainer<Images>> self = new ArrayList<>();
            Objective<Images> objective = new OwnGradient((batch, streams, n) -> {
                Tensor target = RandomStreams.randn(streams.stream("draws"), 3);
                Tensor loss = w.sub(target).square().mean();
                loss.div(new Scalar((double) n)).backward();
                return Losses.of(loss);
            });
            MicroBatches<Images> batches = position -> {
                if (position >= stopAt) {
                    self.get(0).stop();
                }
                return batch(position);
            };
            self.add(new Trainer<>(SETTINGS, objective, batches, checkpoints, new TrainListener() {}));
            self.get(0).train(state);
            return Tensors.toFloats(w);
        }
    }

    private static Tensor weight() {
        return Scopes.keep(Tensors.of(new float[] {1, 1, 1}, 3).set_requires_grad(true));
    }

    private static Images batch(long position) {
        return new Images(List.of("image-" + position));
    }

    private record Images(List<String> names) implements MicroBatch {}

    private interface Gradient {
        Losses backward(Images batch, RandomStreams streams, int accumulation);
    }

    /** One process computes every micro-batch. */
    private record OwnGradient(Gradient gradient) implements Objective<Images> {
        @Override
        public Losses backward(Images batch, RandomStreams streams, Contribution contribution) {
            return gradient.backward(batch, streams, contribution.accumulation());
        }

        @Override
        public void skip(RandomStreams streams, BatchShard none) {
            throw new UnsupportedOperationException("of another process");
        }
    }
}
