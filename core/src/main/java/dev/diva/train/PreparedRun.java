package dev.diva.train;

import java.nio.file.Path;
import java.util.List;

/** A training whose inputs are checked and whose folder is made: any kind of it, to whoever starts, watches and stops it. */
public interface PreparedRun extends AutoCloseable {
    /** What is about to happen; times a pass through the models. */
    Contract contract();

    /** What is worth a word before it begins, a line each. */
    List<String> notes();

    /** Step that this process starts with. */
    long firstStep();

    /** Steps of the whole run. */
    long steps();

    /** Samples of which nothing was learnt so far. */
    int skipped();

    /** What the run is for. */
    Path result();

    /** Asks for a checkpoint and a clean end, from any thread. */
    void stop();

    /**
     * Trains, and writes the result when the last step is done. On a further process of a run it computes, and writes nothing.
     *
     * @param watcher told of every step by the first process
     */
    TrainListener.Outcome train(TrainListener watcher);

    @Override
    void close();
}
