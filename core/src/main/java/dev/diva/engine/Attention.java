package dev.diva.engine;

import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * softmax(q k^T / sqrt(width)) v. On a CPU oneDNN makes the scores, a chunk at a time; they are forgotten, and made again in the backward
 * pass: memory for one chunk instead of all. libtorch's fused kernel reaches 2 % of the machine's peak in bf16, and a fifth in fp32.
 */
public final class Attention {
    /** Scores that are made at once: 16 MiB of bf16, 32 of fp32, enough that threads which begin and end together hardly wait for each other. */
    private static final long CHUNK_SCORES = 1L << 23;

    /** The same of a thread that computes alone, which nobody waits for: 2 MiB of bf16, what a core's cache holds. */
    private static final long CHUNK_SCORES_ALONE = 1L << 20;

    /** Bytes between tokens from which a cache of 4 KiB a way holds few of them: with AVX2 products of ViT-L/14's heads took twice as long. */
    private static final long SAME_LINES = 2048;

    /** Bytes from the first to the last token beyond which such tokens of fp32 do not stay in a core's second cache either, with AMX 2 MiB. */
    private static final long CORE_CACHE = 1L << 21;

    /** Rows of scores are padded to it: kernels take up to twice as long for rows that begin at odd places. */
    private static final long KEYS_MULTIPLE = 32;

    private final double scale;
    private final boolean causal;
    private final long chunkScores;

    private Attention(double scale, boolean causal, long chunkScores) {
        this.scale = scale;
        this.causal = causal;
        this.chunkScores = chunkScores;
    }

    /**
     * Attention of every query to every key.
     *
     * @param q queries, [batch, heads, queries, headWidth]
     * @param k keys, [batch, heads, keys, headWidth]
     * @param v values, [batch, heads, keys, headWidth]
     * @param causal whether a query sees no key of a later token; the queries are those of the last keys
     * @return [batch, heads, queries, headWidth], in the type of q
     */
    public static Tensor attend(Tensor q, Tensor k, Tensor v, boolean causal) {
        return attend(q, k, v, causal, Engine.threads() == 1 ? CHUNK_SCORES_ALONE : CHUNK_SCORES);
    }

    /** @param chunkScores scores that are made at once */
    static Tensor attend(Tensor q, Tensor k, Tensor v, boolean causal, long chunkScores) {
        double scale = 1 / Math.sqrt((double) q.size(3));
        if (q.is_meta()) {
            return Kernels.of(q.shape(), q, k, v);
        }
        if (!OneDnn.isFast(q)) {
            boolean isSquare = q.size(2) == k.size(2); // libtorch takes the queries for those of the first keys
            TensorOptional seen = causal && !isSquare
                    ? new TensorOptional(future(q, k, k.size(2) - q.size(2)).logical_not())
                    : new TensorOptional();
            return torch.scaled_dot_product_attention(
                    q, k, v, seen, 0.0, causal && isSquare, new DoubleOptional(scale), false);
        }
        return Scopes.returning(() -> new Attention(scale, causal, chunkScores).inGraph(q, k, v));
    }

    private Tensor inGraph(Tensor q, Tensor k, Tensor v) {
        Tensor output = OwnGradient.withoutGraph(() -> forward(q, k, v));
        if (OwnGradient.isNeeded(q, k, v)) {
            output = OwnGradient.tie(output, new Tensor[] {q, k, v}, this::backward, q, k, v);
        }
        return output.transpose(1, 2);
    }

    /** [batch, queries, heads, headWidth], so that joining the heads copies nothing. */
    private Tensor forward(Tensor q, Tensor k, Tensor v) {
        Tensor output = like(q);
        forBlocks(q, k, block -> {
            Tensor keys = spread(block.apply(k));
            Tensor values = spread(block.apply(v));
            Tensor outputs = block.apply(output.transpose(1, 2));
            forQueries(q, k, (from, length) -> {
                Tensor queries = spread(block.apply(q).narrow(2, from, length));
                Product.of(ofKeys(weights(queries, keys, k.size(2) - q.size(2) + from), keys), values)
                        .into(outputs.narrow(2, from, length));
            });
        });
        return output;
    }

    /** Gradients for q, k and v; those of k and v are summed over the queries in fp32. */
    private Tensor[] backward(Tensor gradient, Tensor[] saved) {
        Tensor q = saved[0];
        Tensor k = saved[1];
        Tensor v = saved[2];
        Tensor dOutput = gradient.contiguous().transpose(1, 2);
        Tensor dq = like(q).transpose(1, 2);
        Tensor dk = like(k).transpose(1, 2);
        Tensor dv = like(v).transpose(1, 2);
        forBlocks(q, k, block -> {
            Tensor keys = spread(block.apply(k));
            Tensor transposedValues = spread(block.apply(v)).transpose(2, 3);
            Sums dKeys = new Sums(block.apply(dk), queryParts(q, k) == 1);
            Sums dValues = new Sums(block.apply(dv), queryParts(q, k) == 1);
            forQueries(q, k, (from, length) -> {
                Tensor queries = spread(block.apply(q).narrow(2, from, length));
                Tensor dOutputs = spread(block.apply(dOutput).narrow(2, from, length));
                Tensor weights = weights(queries, keys, k.size(2) - q.size(2) + from);
                dValues.add(Product.of(ofKeys(weights, keys).transpose(2, 3), dOutputs));
                Tensor dScores = padded(queries, keys, 0);
                Product.of(dOutputs, transposedValues).into(ofKeys(dScores, keys));
                Softmax.backward(weights, dScores);
                Product.of(ofKeys(dScores, keys), keys)
                        .scaled(scale)
                        .into(block.apply(dq).narrow(2, from, length));
                dKeys.add(Product.of(ofKeys(dScores, keys).transpose(2, 3), queries)
                        .scaled(scale));
            });
            dKeys.store();
            dValues.store();
        });
        return new Tensor[] {dq, dk, dv};
    }

    /** Sums of products over parts of the queries, in fp32 where there are several. */
    private static final class Sums {
        private final Tensor result;
        private final Tensor sum; // or null

        Sums(Tensor result, boolean isOfOnePart) {
            this.result = result;
            this.sum = isOfOnePart ? null : torch.zeros(result.shape(), new TensorOptions(ScalarType.Float));
        }

        void add(Product product) {
            if (sum == null) {
                product.into(result);
            } else {
                product.addedTo(sum);
            }
        }

        void store() {
            if (sum != null) {
                result.copy_(sum);
            }
        }
    }

    /** Tokens whose numbers do not all fall into the same few lines of the cache, copied where they would. */
    private static Tensor spread(Tensor tokens) {
        long apart = tokens.stride(2) * tokens.element_size();
        boolean isLong = tokens.scalar_type().intern() == ScalarType.Float && apart * tokens.size(2) > CORE_CACHE;
        boolean isSlow = apart % SAME_LINES == 0 && (isLong || OneDnn.isOfAvx2(tokens.scalar_type()));
        return isSlow ? tokens.contiguous() : tokens;
    }

    /** Softmax of the scores of some queries, of which the first stands at the key {@code from}, [images, heads, queries, padded keys]. */
    private Tensor weights(Tensor q, Tensor k, long from) {
        Tensor scores = padded(q, k, Float.NEGATIVE_INFINITY);
        Product.of(q, k.transpose(2, 3)).scaled(scale).into(ofKeys(scores, k));
        if (causal) {
            ofKeys(scores, k).masked_fill_(future(q, k, from), new Scalar(Float.NEGATIVE_INFINITY));
        }
        Softmax.forward(scores);
        return scores;
    }

    /** Which keys come after each query, of which the first stands at the key {@code from}: [queries, keys]. */
    private static Tensor future(Tensor q, Tensor k, long from) {
        TensorOptions flags = new TensorOptions(ScalarType.Bool).device(new DeviceOptional(q.device()));
        return torch.ones(new long[] {q.size(2), k.size(2)}, flags).triu(1 + from);
    }

    /** For a number of each query and key, [images, heads, queries, padded keys], without content but for the padding. */
    private static Tensor padded(Tensor q, Tensor k, float padding) {
        long keys = k.size(2);
        long width = (keys + KEYS_MULTIPLE - 1) / KEYS_MULTIPLE * KEYS_MULTIPLE;
        // In fp32 where products would widen them.
        TensorOptions options =
                OneDnn.isFasterWidened(q.scalar_type()) ? new TensorOptions(ScalarType.Float) : q.options();
        Tensor x = torch.empty(new long[] {q.size(0), q.size(1), q.size(2), width}, options, null);
        x.narrow(3, keys, width - keys).fill_(new Scalar(padding));
        return x;
    }

    private static Tensor ofKeys(Tensor padded, Tensor k) {
        return padded.narrow(3, 0, k.size(2));
    }

    /** [batch, heads, tokens, width] without content, in memory as [batch, tokens, heads, width]: the transpose of what it returns. */
    private static Tensor like(Tensor x) {
        return torch.empty(new long[] {x.size(0), x.size(2), x.size(1), x.size(3)}, x.options(), null);
    }

    /** Some heads of some images as a view of [batch, heads, ...]: as many as come nearest to a chunk, at least one. */
    private void forBlocks(Tensor q, Tensor k, Consumer<UnaryOperator<Tensor>> computation) {
        long numHeads = q.size(1);
        long scoresOfHead = q.size(2) * k.size(2);
        inParts(
                q.size(0),
                nearest(numHeads * scoresOfHead),
                (image, images) -> inParts(
                        numHeads,
                        nearest(scoresOfHead),
                        (head, heads) -> computation.accept(
                                x -> x.narrow(0, image, images).narrow(1, head, heads))));
    }

    private long nearest(long scores) {
        return (chunkScores + scores / 2) / scores;
    }

    /** All queries where a head has less than a chunk of scores, else parts as good as equal: a single row costs as much as many. */
    private void forQueries(Tensor q, Tensor k, Range computation) {
        long queries = q.size(2);
        long parts = queryParts(q, k);
        inParts(queries, (queries + parts - 1) / parts, computation);
    }

    private long queryParts(Tensor q, Tensor k) {
        return 1 + (q.size(2) * k.size(2) - 1) / chunkScores;
    }

    private interface Range {
        void compute(long from, long length);
    }

    private static void inParts(long whole, long part, Range computation) {
        long step = Math.max(1, part);
        for (long from = 0; from < whole; from += step) {
            try (PointerScope scope = new PointerScope()) {
                computation.compute(from, Math.min(step, whole - from));
            }
        }
    }
}
