package dev.diva.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    private final AtomicBoolean stop = new AtomicBoolean();

    public Trainer(
            TrainSettings settings,
            Objective objective,
            MicroBatches batches,
            Checkpoints checkpoints,
            TrainListener listener) {
        this.settings = settings;
        this.objective = objective;
        this.batches = batches;
        this.checkpoints = checkpoints;
        this.listener = listener;
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
        while (state.step() < settings.schedule().totalSteps()) {
            try (PointerScope scope = new PointerScope()) {
                Map<String, Tensor> randomBefore = state.streams().state();
                if (!step(state)) {
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
        listener.finished(TrainListener.Outcome.DONE);
        return TrainListener.Outcome.DONE;
    }

    /** One step; false when asked to stop, with the weights as they were. */
    private boolean step(TrainState state) {
        long started = System.nanoTime();
        double rate = settings.schedule().rate(state.step());
        Map<String, Tensor> learning = learning(state);
        List<Double> losses = new ArrayList<>();
        List<String> names = new ArrayList<>();
        Gradients.zero(state.parameters().values());
        for (int i = 0; i < settings.accumulation(); i++) {
            if (stop.get()) {
                return false;
            }
            try (PointerScope scope = new PointerScope()) {
                MicroBatch batch = batches.at(state.step() * settings.accumulation() + i);
                names.addAll(batch.names());
                for (double loss : objective.backward(batch, state.streams(), settings.accumulation())) {
                    requireFinite("loss", loss, state.step(), batch.names());
                    losses.add(loss);
                }
            }
        }
        double norm = Gradients.norm(learning.values());
        requireFinite("gradient norm", norm, state.step(), names);
        settings.clipping().ifPresent(max -> Gradients.clip(learning.values(), norm, max));
        state.optimizer().update(learning, rate);
        double seconds = (System.nanoTime() - started) * 1e-9;
        long images = (state.step() + 1) * names.size();
        listener.stepDone(new StepRecord(state.step(), losses, norm, rate, images, seconds, names.size()));
        return true;
    }

    private Map<String, Tensor> learning(TrainState state) {
        Map<String, Tensor> learning = new LinkedHashMap<>(state.parameters());
        learning.keySet().removeIf(name -> !settings.learns(name, state.step()));
        return learning;
    }

    private void write(TrainState state, Map<String, Tensor> random) {
        listener.checkpointWritten(state.step(), checkpoints.write(state, new TreeMap<>(random)));
    }

    private static void requireFinite(String what, double value, long step, List<String> names) {
        if (!Double.isFinite(value)) {
            throw new DivergedException(what + " is " + value + " in step " + step + ", images "
                    + String.join(", ", names) + "; the weights are those from before this step. Try a lower rate");
        }
    }
}
