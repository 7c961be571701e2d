package dev.diva.data;

import dev.diva.BadInputException;

/** Counts the images that a run asks for and those that cannot be read, and stops it when too many are lost. */
public final class BadShare {
    /** Samples that are looked at before a share of them means anything. */
    private static final long FIRST = 100;

    private final double limit;
    private long asked;
    private long lost;

    /** @param limit share of the images, 0..1 */
    public BadShare(double limit) {
        this.limit = limit;
    }

    /** An image is asked for. */
    public void asked() {
        asked++;
    }

    /**
     * An image cannot be read.
     *
     * @throws BadInputException when these are more than the limit allows
     */
    public void lost(DataProblem problem) {
        lost++;
        if (lost > limit * Math.max(FIRST, asked)) {
            throw new BadInputException(lost + " of " + asked
                    + " images asked for since the start cannot be read, more than the limit of " + limit
                    + " (maxBadShare); the last: " + problem + ". Mend it; the run goes on from its last checkpoint");
        }
    }
}
