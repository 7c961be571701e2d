package dev.diva.checkpoint;

import dev.diva.engine.DropoutMask;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * Dropout of what enters low-rank adapters. What is dropped follows from a seed of each row and the name of the layer, so that a layer that
 * is computed again for its backward pass, or in another process, drops the same. Nothing is dropped outside of {@link #begin} and {@link
 * #end}. Not thread safe.
 */
public final class AdapterDropout {
    private final double probability;
    private long[] seeds; // null outside of a batch

    /** @param probability with which a number is dropped, 0 to less than 1 */
    public AdapterDropout(double probability) {
        if (!(probability >= 0 && probability < 1)) {
            throw new IllegalArgumentException("dropout of " + probability + ", expected 0 to less than 1");
        }
        this.probability = probability;
    }

    /**
     * From here on numbers are dropped.
     *
     * @param rowSeeds int64 [rows] of the batches that the layers will see
     */
    public void begin(Tensor rowSeeds) {
        seeds = Tensors.toLongs(rowSeeds);
    }

    /** From here on none is; to be called after the backward pass. */
    public void end() {
        seeds = null;
    }

    /**
     * What is kept of the input of a layer.
     *
     * @param layer its name
     * @param x [rows, ...]
     * @return a mask of x, or null where nothing is dropped
     */
    DropoutMask mask(String layer, Tensor x) {
        if (seeds == null || probability == 0) {
            return null;
        }
        if (x.size(0) != seeds.length) {
            throw new IllegalStateException(
                    layer + ": a batch of " + x.size(0) + " rows, dropout was begun for " + seeds.length);
        }
        long[] ofLayer = Arrays.stream(seeds)
                .map(seed -> RandomStreams.seedOf(seed, layer))
                .toArray();
        return DropoutMask.drawn(ofLayer, x, probability);
    }
}
