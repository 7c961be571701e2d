package dev.diva.data;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Which image comes at which position, epoch after epoch without end: a permutation of (seed, epoch) alone, so the order does not
 * depend on workers or processes. For one thread at a time.
 */
public final class SampleOrder {
    private final int count;
    private final long seed;
    private final boolean shuffle;
    private long permutedEpoch = -1;
    private int[] permutation = {};

    /** @param shuffle false repeats 0, 1, ..., count - 1 */
    public SampleOrder(int count, long seed, boolean shuffle) {
        if (count < 1) {
            throw new IllegalArgumentException("count < 1: " + count);
        }
        this.count = count;
        this.seed = seed;
        this.shuffle = shuffle;
    }

    public int count() {
        return count;
    }

    public long seed() {
        return seed;
    }

    /** Epoch that a position lies in. */
    public long epoch(long position) {
        return position / count;
    }

    /** Index of the image at a position. */
    public int index(long position) {
        int within = (int) (position % count);
        if (!shuffle) {
            return within;
        }
        long epoch = epoch(position);
        if (epoch != permutedEpoch) {
            permutation = permute(epoch);
            permutedEpoch = epoch;
        }
        return permutation[within];
    }

    private int[] permute(long epoch) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(Mix.of(seed, epoch));
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }
}
