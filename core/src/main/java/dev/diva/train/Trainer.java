package dev.diva.train;

import dev.diva.engine.BatchShard;
import dev.diva.engine.GradientAverage;
import dev.diva.engine.ProcessGroup;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * The loop. Stops between micro-batches when asked to; a step that was not finished leaves no trace.
 *
 * @param <B> kind of micro-batch
 */
public final class Trainer<B extends MicroBatch> {
    private final TrainSettings settings;
    private final Objective<B> objective;
    private final MicroBatches<B> batches;
    private final Checkpoints checkpoints;
    private final TrainListener listener;
    private final ProcessGroup processGroup;
    private final Sharding sharding;
    private final AtomicBoolean stop = new AtomicBoolean();

    /** Of one process. */
    public Trainer(
            TrainSettings settings,
            Objective<B> objective,
            MicroBatches<B> batches,
            Checkpoints checkpoints,
            TrainListener listener) {
        this(
                settings,
                objective,
                batches,
                checkpoints,
                listener,
                ProcessGroup.single(),
                Sharding.of(0, 1, settings.accumulation(), 1));
    }

    /**
     * Of one process of several.
     *
     * @param listener told by the first process
     * @param processGroup whose processes share each step; only the first writes
     * @param sharding what of each step this process computes
     */
    public Trainer(
            TrainSettings settings,
            Objective<B> objective,
            MicroBatches<B> batches,
            Checkpoints checkpoints,
            TrainListener listener,
            ProcessGroup processGroup,
            Sharding sharding) {
        this.settings = settings;
        this.objective = objective;
        this.batches = batches;
        this.checkpoints = checkpoints;
        this.listener = listener;
        this.processGroup = processGroup;
        this.sharding = sharding;
    }

    /** Asks for a checkpoint and a clean end; from any thread, for signal handlers. */
    public void stop() {
        stop.set(true);
    }

    /**
     * Trains from a state to the last step.
     *
     * @throws DivergedException before a loss or gradient that is not finite could reach the weights
     */
    public TrainListener.Outcome train(TrainState start) {
        TrainState state = start;
        Map<String, Tensor> parameters = start.parameters();
        boolean isCompact =
                settings.compactGradients() && processGroup.worldSize() == 1; // others are exchanged as fp32
        try (GradientAverage average = processGroup.averaging(List.copyOf(parameters.values()));
                Gradients gradients = new Gradients(parameters, isCompact)) {
            while (state.step() < settings.steps()) {
                try (PointerScope scope = new PointerScope()) {
                    Map<String, Tensor> randomBefore = state.streams().state();
                    boolean isDone = step(state, average, gradients, randomBefore);
                    gradients.clear();
                    if (!isDone) {
                        write(state, randomBefore);
                        listener.finished(TrainListener.Outcome.RESUMABLE);
                        return TrainListener.Outcome.RESUMABLE;
                    }
                    state = state.at(state.step() + 1);
                    if (state.step() % settings.checkpointEvery() == 0 || state.step() == settings.steps()) {
                        write(state, state.streams().state());
                    }
                }
            }
        }
        listener.finished(TrainListener.Outcome.DONE);
        return TrainListener.Outcome.DONE;
    }

    /** One step; false when asked to stop, with the weights as they were. */
    private boolean step(
            TrainState state, GradientAverage average, Gradients gradients, Map<String, Tensor> randomBefore) {
        long started = System.nanoTime();
        double rate = settings.rate(state.step());
        Map<String, Tensor> learning = learning(state);
        StepLosses losses = losses();
        for (int i = 0; i < settings.accumulation(); i++) {
            if (i % sharding.microBatchesAtOnce() == 0 && processGroup.any(stop.get())) {
                losses.close();
                return false;
            }
            microBatch(state, i, average, losses);
        }
        average.finish();
        gradients.finish();
        double norm = losses.read(gradients.norm(learning));
        losses.exchange(state.step()).ifPresent(this::stopAll);
        if (!Double.isFinite(norm)) {
            stopAll(notFinite(norm, state, learning, gradients, randomBefore));
        }
        OptionalDouble max = settings.clipping();
        double factor = max.isPresent() ? Gradients.clipFactor(norm, max.getAsDouble()) : 1;
        gradients.with(
                learning, some -> state.optimizer().update(some, name -> settings.rate(name, state.step()), factor));
        processGroup.barrier(); // each may have updated a part of what all read next
        double seconds = (System.nanoTime() - started) * 1e-9;
        listener.stepDone(new StepRecord(
                state.step(),
                losses.ofDraws(),
                losses.penalties(),
                norm,
                rate,
                settings.otherRates(state.step()),
                seconds,
                losses.images()));
        return true;
    }

    private void microBatch(TrainState state, int i, GradientAverage average, StepLosses losses) {
        if (!sharding.isMine(i)) {
            objective.skip(state.streams(), BatchShard.none(sharding.batch()));
            return;
        }
        try (PointerScope scope = new PointerScope()) {
            B batch = batches.at(state.step() * settings.accumulation() + i);
            Runnable last = sharding.isLast(i) ? average::beforeLastBackward : () -> {};
            Contribution contribution =
                    new Contribution(sharding.shard(), settings.accumulation(), sharding.microBatchesAtOnce(), last);
            losses.add(i, batch.names(), objective.backward(batch, state.streams(), contribution));
        } catch (RuntimeException e) {
            throw average.explained(e); // the last backward pass exchanges gradients
        }
    }

    private StepLosses losses() {
        return new StepLosses(processGroup, sharding, objective.penalties());
    }

    /**
     * Whose gradient is not finite. Their mean has spread it to every process by now, so each computes its micro-batches of the step
     * once more, one at a time and without an exchange.
     */
    private String notFinite(
            double norm,
            TrainState state,
            Map<String, Tensor> learning,
            Gradients gradients,
            Map<String, Tensor> randomBefore) {
        state.streams().restore(randomBefore);
        String mine = "";
        try (GradientAverage none = ProcessGroup.single().averaging(List.of())) {
            for (int i = 0; i < settings.accumulation() && mine.isEmpty(); i++) {
                gradients.clear();
                StepLosses losses = losses();
                microBatch(state, i, none, losses);
                gradients.finish();
                mine = gradients
                        .notFinite(learning)
                        .map(name -> losses.line("gradient of " + name + " is not finite", state.step()))
                        .orElse("");
            }
        }
        String said = processGroup.gatherLines(mine);
        return said.isEmpty()
                ? "gradient norm is " + norm + " in step " + state.step()
                        + ", with finite gradients of each micro-batch"
                : said;
    }

    private void stopAll(String reason) {
        String last =
                checkpoints.newest().map(path -> path.getFileName().toString()).orElse("none");
        throw new DivergedException(reason + "; the weights are those from before this step, last checkpoint: " + last
                + ". Try a lower rate");
    }

    private Map<String, Tensor> learning(TrainState state) {
        Map<String, Tensor> learning = new LinkedHashMap<>(state.parameters());
        learning.keySet().removeIf(name -> !settings.learns(name, state.step()));
        return learning;
    }

    private void write(TrainState state, Map<String, Tensor> random) {
        if (processGroup.isFirst()) {
            listener.checkpointWritten(state.step(), checkpoints.write(state, new TreeMap<>(random)));
        }
    }
}
