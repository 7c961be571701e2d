package dev.diva.train;

import dev.diva.engine.RandomStreams;

/** What training minimises; back-propagates itself, because the published recipe weighs its draws unequally. */
@FunctionalInterface
public interface Objective {
    /**
     * Adds the gradient of a micro-batch to the parameters.
     *
     * @param accumulation micro-batches a step, for the factor of the loss
     * @return the loss of each draw
     */
    double[] backward(MicroBatch batch, RandomStreams streams, int accumulation);
}
