package dev.diva.train;

import dev.diva.engine.RandomStreams;
import dev.diva.engine.Share;
import dev.diva.feedback.Contribution;
import java.util.List;

/** What training minimises; back-propagates itself, because the published recipe weighs its draws unequally. */
@FunctionalInterface
public interface Objective {
    /**
     * Adds the gradient of a micro-batch to the parameters.
     *
     * @param accumulation micro-batches a step, for the factor of the loss
     * @return the loss of each draw, then each of the {@link #penalties}
     */
    double[] backward(MicroBatch batch, RandomStreams streams, int accumulation);

    /** Names of what the gradient comes from beside the losses of the draws. */
    default List<String> penalties() {
        return List.of();
    }

    /**
     * The same for the rows of a micro-batch that this process computes. An objective that several processes may share overrides this
     * and {@link #skip}.
     *
     * @param share which rows the batch holds
     */
    default double[] backward(MicroBatch batch, RandomStreams streams, Share share, Contribution contribution) {
        return backward(batch, streams, contribution.accumulation());
    }

    /** Draws the random numbers of a micro-batch of so many images that another process computes. */
    default void skip(RandomStreams streams, Share none) {
        throw new UnsupportedOperationException("this objective is for one process");
    }
}
