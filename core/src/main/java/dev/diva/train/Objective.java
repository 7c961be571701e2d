package dev.diva.train;

import dev.diva.engine.BatchShard;
import dev.diva.engine.RandomStreams;
import java.util.List;

/**
 * What training minimises: all that the loop knows of a method. It back-propagates itself, because a method may weigh its losses unequally
 * or go back in several passes.
 *
 * @param <B> kind of micro-batch
 */
public interface Objective<B extends MicroBatch> {
    /**
     * Adds the gradient of a micro-batch, or of the rows of it that this process computes, to the parameters. For one loss that is a mean
     * over the rows this is {@link Contribution#backward}.
     *
     * @param batch the rows of {@link Contribution#shard}
     * @param streams to be drawn from for the whole micro-batch whichever rows are computed, see {@link dev.diva.engine.BatchDraws}
     * @return the losses, in the same order for every micro-batch, then each of the {@link #penalties}
     */
    Losses backward(B batch, RandomStreams streams, Contribution contribution);

    /**
     * Draws the random numbers of a micro-batch that another process computes, and computes nothing.
     *
     * @param none no rows of as many as the micro-batch has
     */
    void skip(RandomStreams streams, BatchShard none);

    /** Names of what the gradient comes from beside the losses, and of what is only measured. */
    default List<String> penalties() {
        return List.of();
    }
}
