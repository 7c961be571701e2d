package dev.diva.train;

/** The images of a run as a function of the position, so that a resumed run sees what the uninterrupted one would have seen. */
@FunctionalInterface
public interface MicroBatches {
    /**
     * The micro-batch at a position; positions are asked for in rising order, and a step may be asked for again from its first.
     *
     * @param position counted from 0 over all steps
     */
    MicroBatch at(long position);
}
