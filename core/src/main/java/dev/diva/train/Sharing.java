package dev.diva.train;

import dev.diva.BadInputException;
import dev.diva.engine.Share;

/**
 * What of a step a process computes. A step is {@code accumulation} micro-batches of {@code batch} images whatever the number of
 * processes; whole micro-batches are dealt out first, and only when there are too few of them are their images split as well.
 *
 * @param groups processes that hold different micro-batches: the greatest common divisor of world and accumulation
 * @param slices parts of a micro-batch
 */
public record Sharing(int rank, int accumulation, int batch, int groups, int slices) {
    /**
     * The share of a process.
     *
     * @throws BadInputException when the images of a step cannot be dealt out evenly
     */
    public static Sharing of(int rank, int world, int accumulation, int batch) {
        int groups = gcd(world, accumulation);
        int slices = world / groups;
        if (batch % slices != 0) {
            throw new BadInputException(world + " processes cannot share the " + accumulation * batch
                    + " images of a step (train.accumulate " + accumulation + " x train.batch " + batch
                    + ") evenly; use a number of processes that divides them");
        }
        return new Sharing(rank, accumulation, batch, groups, slices);
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    /** Whether this process computes a micro-batch, counted over all steps or within one, or a part of it. */
    public boolean isMine(long microBatch) {
        return microBatch % groups == rank % groups;
    }

    /** Whether it is the last of its own in a step. */
    public boolean isLast(int i) {
        return i == accumulation - groups + rank % groups;
    }

    /** Its rows of each of its micro-batches. */
    public Share share() {
        int count = batch / slices;
        return new Share(batch, (long) rank / groups * count, count);
    }

    /** Its images of a step. */
    public int images() {
        return accumulation / groups * (batch / slices);
    }

    /** Position in the order of all samples of the n-th sample of this process, counted from the start of the run. */
    public long position(long n) {
        int count = batch / slices;
        long own = n / count; // micro-batch among its own
        long perStep = accumulation / groups;
        long microBatch = own / perStep * accumulation + own % perStep * groups + rank % groups;
        return microBatch * batch + share().from() + n % count;
    }
}
