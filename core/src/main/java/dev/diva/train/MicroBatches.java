package dev.diva.train;

/**
 * The samples of a run as a function of the position, so that a resumed run sees what the uninterrupted one would have seen.
 *
 * @param <B> kind of micro-batch
 */
@FunctionalInterface
public interface MicroBatches<B extends MicroBatch> {
    /**
     * The micro-batch at a position, or the rows of it that this process computes; positions are asked for in rising order, and a step may
     * be asked for again from its first.
     *
     * @param position counted from 0 over all steps
     */
    B at(long position);
}
