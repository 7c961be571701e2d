package dev.diva.train;

import dev.diva.BadInputException;
import dev.diva.engine.BatchShard;
import dev.diva.engine.ProcessGroup;

/**
 * What of a step a process computes. A step is {@code accumulation} micro-batches of {@code batch} images whatever the number of
 * processes; whole micro-batches are dealt out first, and only when there are too few of them are their images split as well.
 *
 * @param rank of the process
 * @param accumulation micro-batches of a step, over all processes
 * @param batch images of a micro-batch
 * @param microBatchesAtOnce that the processes compute at the same time: the greatest common divisor of world size and accumulation
 * @param ranksPerMicroBatch processes that split a micro-batch
 */
public record Sharding(int rank, int accumulation, int batch, int microBatchesAtOnce, int ranksPerMicroBatch) {
    /**
     * What a process of a group computes.
     *
     * @throws BadInputException when the images of a step cannot be dealt out evenly
     */
    public static Sharding of(ProcessGroup processGroup, int accumulation, int batch) {
        return of(processGroup.rank(), processGroup.worldSize(), accumulation, batch);
    }

    static Sharding of(int rank, int worldSize, int accumulation, int batch) {
        int microBatchesAtOnce = gcd(worldSize, accumulation);
        int ranksPerMicroBatch = worldSize / microBatchesAtOnce;
        if (batch % ranksPerMicroBatch != 0) {
            throw new BadInputException(worldSize + " processes cannot share the " + accumulation * batch
                    + " images of a step (train.accumulate " + accumulation + " x train.batch " + batch
                    + ") evenly; use a number of processes that divides them");
        }
        return new Sharding(rank, accumulation, batch, microBatchesAtOnce, ranksPerMicroBatch);
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    /**
     * Refuses to split micro-batches.
     *
     * @param what needs them whole, for the message
     * @throws BadInputException when they are split
     */
    public void requireWholeMicroBatches(String what) {
        if (ranksPerMicroBatch > 1) {
            throw new BadInputException(what + " needs whole micro-batches; use a number of processes"
                    + " that divides train.accumulate " + accumulation);
        }
    }

    /** Whether this process computes a micro-batch, counted over all steps or within one, or a part of it. */
    public boolean isMine(long microBatch) {
        return microBatch % microBatchesAtOnce == rank % microBatchesAtOnce;
    }

    /** Whether it is the last of its own in a step. */
    public boolean isLast(int i) {
        return i == accumulation - microBatchesAtOnce + rank % microBatchesAtOnce;
    }

    /** Its rows of each of its micro-batches. */
    public BatchShard shard() {
        int count = batch / ranksPerMicroBatch;
        return new BatchShard(batch, (long) rank / microBatchesAtOnce * count, count);
    }

    /** Its images of a step. */
    public int images() {
        return accumulation / microBatchesAtOnce * (batch / ranksPerMicroBatch);
    }

    /** Position in the order of all samples of the n-th sample of this process, counted from the start of the run. */
    public long position(long n) {
        int count = batch / ranksPerMicroBatch;
        long own = n / count; // micro-batch among its own
        long perStep = accumulation / microBatchesAtOnce;
        long microBatch = own / perStep * accumulation + own % perStep * microBatchesAtOnce + rank % microBatchesAtOnce;
        return microBatch * batch + shard().from() + n % count;
    }
}
