package dev.diva.train;

import java.nio.file.Path;

/**
 * Watches a run from the training thread; cannot change it.
 *
 * <pre>
 * stepDone ... stepDone, checkpointWritten, ... finished
 * </pre>
 */
public interface TrainListener {
    /** After the weights were changed. */
    default void stepDone(StepRecord step) {}

    /** After a checkpoint is complete on disk. */
    default void checkpointWritten(long step, Path folder) {}

    /** Once, when the run ends without an error. */
    default void finished(Outcome outcome) {}

    /** How a run ended. */
    enum Outcome {
        DONE,
        RESUMABLE
    }
}
