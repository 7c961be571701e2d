package dev.diva.demo;

import dev.diva.train.TrainListener;

/** Told how an experiment goes, on the thread that runs it. */
public interface Watcher {
    /** Tells nobody. */
    Watcher SILENT = new Watcher() {
        @Override
        public void stage(String words) {}

        @Override
        public TrainListener training(long firstStep, long steps) {
            return new TrainListener() {};
        }
    };

    /** A part of the work is about to begin. */
    void stage(String words);

    /** Training is about to begin; hears every step. */
    TrainListener training(long firstStep, long steps);
}
