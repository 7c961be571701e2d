package dev.diva.engine;

import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Random numbers for the rows of a batch. They are drawn for the whole batch, whichever rows this process computes, so that a run draws
 * the same however many processes share it.
 */
public final class BatchDraws {
    private final Generator generator;
    private final BatchShard share;

    public BatchDraws(Generator generator, BatchShard share) {
        this.generator = generator;
        this.share = share;
    }

    /** Standard normal numbers, fp32 [own rows, row shape]: one {@code randn(rows, ...)}. */
    public Tensor randn(long... row) {
        return own(RandomStreams.randn(generator, shape(row)));
    }

    /** Whole numbers 0 to high - 1, int64 [own rows, row shape]: one {@code randint(0, high, (rows, ...))}. */
    public Tensor randint(long high, long... row) {
        return own(RandomStreams.randint(generator, high, shape(row)));
    }

    /** For each row the first {@code count} of a {@code randperm(n)} of its own, int64 [own rows, count]. */
    public Tensor randperm(long n, long count) {
        TensorVector rows = new TensorVector();
        for (long i = 0; i < share.total(); i++) {
            rows.push_back(RandomStreams.randperm(generator, n).narrow(0, 0, count));
        }
        return own(torch.stack(rows));
    }

    private long[] shape(long[] row) {
        long[] shape = new long[row.length + 1];
        shape[0] = share.total();
        System.arraycopy(row, 0, shape, 1, row.length);
        return shape;
    }

    private Tensor own(Tensor all) {
        return share.count() == share.total() ? all : all.narrow(0, share.from(), share.count());
    }
}
