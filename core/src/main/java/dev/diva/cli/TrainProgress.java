package dev.diva.cli;

import dev.diva.train.StepRecord;
import dev.diva.train.TrainListener;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;

/** Progress of a run on the error stream: steps, time left, loss and images per second. */
final class TrainProgress implements TrainListener, AutoCloseable {
    private final Progress progress;
    private double lastLoss = Double.NaN;
    private long images;

    TrainProgress(PrintWriter err, long firstStep, long steps) {
        this.progress = Progress.startFrom("train", firstStep, steps, err);
    }

    @Override
    public void stepDone(StepRecord step) {
        lastLoss = step.loss();
        images += step.stepImages();
        progress.at(
                step.step() + 1,
                String.format(Locale.ROOT, "loss %.5f, %.2f images/s", step.loss(), step.imagesPerSecond()));
    }

    @Override
    public void checkpointWritten(long step, Path folder) {
        progress.note("checkpoint " + folder);
    }

    /** Loss of the last step. */
    double lastLoss() {
        return lastLoss;
    }

    /** Images of this process. */
    long images() {
        return images;
    }

    @Override
    public void close() {
        progress.close();
    }
}
