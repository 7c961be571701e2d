package dev.diva.checkpoint;

import dev.diva.engine.DropoutMask;
import dev.diva.engine.InterOp;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Dropout of what enters low-rank adapters. What is dropped follows from a seed of each row and the name of the layer, so that a layer that
 * is computed again for its backward pass, or in another process, drops the same. Nothing is dropped outside of {@link #begin} and {@link
 * #end}. Not thread safe.
 */
public final class AdapterDropout {
    /** Numbers from which threads draw rows side by side: a generator gives one after the other. */
    private static final long MANY = 1 << 18;

    private final double probability;
    private final boolean isRepeated;
    private long[] seeds; // null outside of a batch

    /** Of layers that are computed once. */
    public AdapterDropout(double probability) {
        this(probability, false);
    }

    /**
     * For layers.
     *
     * @param probability with which a number is dropped, 0 to less than 1
     * @param isRepeated whether layers are computed again in the backward pass
     */
    public AdapterDropout(double probability, boolean isRepeated) {
        if (!(probability >= 0 && probability < 1)) {
            throw new IllegalArgumentException("dropout of " + probability + ", expected 0 to less than 1");
        }
        this.probability = probability;
        this.isRepeated = isRepeated;
    }

    /**
     * From here on numbers are dropped.
     *
     * @param rowSeeds int64 [rows] of the batches that the layers will see
     */
    public void begin(Tensor rowSeeds) {
        seeds = Tensors.toLongs(rowSeeds);
    }

    /** Takes up again, when it is run, what the last {@link #begin} began; empty where no layer is computed again. */
    public Optional<Runnable> current() {
        long[] begun = seeds;
        return isRepeated ? Optional.of(() -> seeds = begun) : Optional.empty();
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
        Tensor bits = Scopes.returning(() -> {
            long[] shape = x.select(0, 0).shape();
            // in place, as comparing into flags takes longer than the draws
            IntFunction<Tensor> row = i -> RandomStreams.rand(new RandomStreams(seeds[i]).stream(layer), shape)
                    .ge_(new Scalar(probability))
                    .to(ScalarType.Bool);
            List<Tensor> rows = x.numel() < MANY
                    ? IntStream.range(0, seeds.length).mapToObj(row).toList()
                    : InterOp.compute(seeds.length, row);
            return DropoutMask.packed(torch.stack(new TensorVector(rows.toArray(Tensor[]::new))))
                    .to(x.device(), ScalarType.Byte);
        });
        return new DropoutMask(bits, probability);
    }
}
