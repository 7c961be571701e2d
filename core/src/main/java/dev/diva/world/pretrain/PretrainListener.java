package dev.diva.world.pretrain;

import dev.diva.train.TrainListener;
import dev.diva.train.TrainingRun;
import java.util.List;

/** Watches the training of a small model. */
public interface PretrainListener extends TrainListener {
    /**
     * In every process, before its first step.
     *
     * @param run may be stopped from any thread
     * @param notes of what is worth a word
     */
    default void begins(TrainingRun run, List<String> notes) {}
}
