package dev.diva.train;

import java.nio.file.Path;
import java.util.List;

/** Several listeners as one, told in order. */
public record Listeners(List<TrainListener> all) implements TrainListener {
    @Override
    public void stepDone(StepRecord step) {
        all.forEach(listener -> listener.stepDone(step));
    }

    @Override
    public void checkpointWritten(long step, Path folder) {
        all.forEach(listener -> listener.checkpointWritten(step, folder));
    }

    @Override
    public void finished(Outcome outcome) {
        all.forEach(listener -> listener.finished(outcome));
    }
}
