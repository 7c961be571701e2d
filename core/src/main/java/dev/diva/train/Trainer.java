package dev.diva.train;

import dev.diva.engine.GradientAverage;
import dev.diva.engine.Share;
import dev.diva.feedback.Contribution;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** The loop. Stops between micro-batches when asked to; a step that was not finished leaves no trace. */
public final class Trainer {
    private final TrainSettings settings;
    private final Objective objective;
    private final MicroBatches batches;
    private final Checkpoints checkpoints;
    private final TrainListener listener;
    private final Team team;
    private final AtomicBoolean stop = new AtomicBoolean();

    public Trainer(
            TrainSettings settings,
            Objective objective,
            MicroBatches batches,
            Checkpoints checkpoints,
            TrainListener listener) {
        this(settings, objective, batches, checkpoints, listener, Team.alone(settings.accumulation()));
    }

    /** @param team whose processes share each step; only the first writes */
    public Trainer(
            TrainSettings settings,
            Objective objective,
            MicroBatches batches,
            Checkpoints checkpoints,
            TrainListener listener,
            Team team) {
        this.settings = settings;
        this.objective = objective;
        this.batches = batches;
        this.checkpoints = checkpoints;
        this.listener = listener;
        this.team = team;
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
        List<Tensor> parameters = List.copyOf(start.parameters().values());
        try (GradientAverage average = team.processes().averaging(parameters)) {
            while (state.step() < settings.schedule().totalSteps()) {
                try (PointerScope scope = new PointerScope()) {
                    Map<String, Tensor> randomBefore = state.streams().state();
                    if (!step(state, average)) {
                        write(state, randomBefore);
                        listener.finished(TrainListener.Outcome.RESUMABLE);
                        return TrainListener.Outcome.RESUMABLE;
                    }
                    state = state.at(state.step() + 1);
                    if (state.step() % settings.checkpointEvery() == 0
                            || state.step() == settings.schedule().totalSteps()) {
                        write(state, state.streams().state());
                    }
                }
            }
        }
        listener.finished(TrainListener.Outcome.DONE);
        return TrainListener.Outcome.DONE;
    }

    /** One step; false when asked to stop, with the weights as they were. */
    private boolean step(TrainState state, GradientAverage average) {
        long started = System.nanoTime();
        double rate = settings.schedule().rate(state.step());
        Map<String, Tensor> learning = learning(state);
        StepLosses losses = new StepLosses(team, settings.accumulation(), objective.penalties());
        Gradients.clear(state.parameters().values());
        for (int i = 0; i < settings.accumulation(); i++) {
            if (i % team.sharing().groups() == 0 && team.processes().any(stop.get())) {
                return false;
            }
            microBatch(state, i, average, losses);
        }
        average.finish();
        losses.exchange(state.step());
        double norm = Gradients.norm(learning.values());
        losses.requireFinite("gradient norm", norm, state.step());
        OptionalDouble max = settings.clipping();
        double factor = max.isPresent() ? Gradients.clipFactor(norm, max.getAsDouble()) : 1;
        state.optimizer().update(learning, name -> settings.rate(name, state.step()), factor);
        double seconds = (System.nanoTime() - started) * 1e-9;
        listener.stepDone(new StepRecord(
                state.step(), losses.ofDraws(), losses.penalties(), norm, rate, seconds, losses.images()));
        return true;
    }

    private void microBatch(TrainState state, int i, GradientAverage average, StepLosses losses) {
        Sharing sharing = team.sharing();
        if (!sharing.isMine(i)) {
            objective.skip(state.streams(), Share.none(sharing.batch()));
            return;
        }
        try (PointerScope scope = new PointerScope()) {
            MicroBatch batch = batches.at(state.step() * settings.accumulation() + i);
            Runnable last = sharing.isLast(i) ? average::beforeLastBackward : () -> {};
            Contribution contribution = new Contribution(settings.accumulation(), sharing.groups(), last);
            losses.add(i, batch.names(), objective.backward(batch, state.streams(), sharing.share(), contribution));
        } catch (RuntimeException e) {
            throw average.explained(e); // the last backward pass exchanges gradients
        }
    }

    private Map<String, Tensor> learning(TrainState state) {
        Map<String, Tensor> learning = new LinkedHashMap<>(state.parameters());
        learning.keySet().removeIf(name -> !settings.learns(name, state.step()));
        return learning;
    }

    private void write(TrainState state, Map<String, Tensor> random) {
        if (team.processes().isFirst()) {
            listener.checkpointWritten(state.step(), checkpoints.write(state, new TreeMap<>(random)));
        }
    }
}
