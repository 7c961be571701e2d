package dev.diva.engine;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * softmax(q k^T / sqrt(width)) v. As matrix products on a CPU, where libtorch's fused kernel reaches 2 % of the machine's peak in bf16 and
 * half the speed of products in fp32. Many scores are made a chunk of queries at a time, forgotten, and made again in the backward pass:
 * memory for one chunk instead of all, at the speed of autograd with all of them.
 */
public final class Attention {
    /** Scores that are made at once: 8 MiB of bf16, 16 of fp32, which stay in the cache from the first product to the last. */
    static final long CHUNK_SCORES = 1L << 22;

    /** Scores that are kept for the backward pass at most: 8 MiB of bf16. */
    static final long KEPT_SCORES = 1L << 22;

    private Attention() {}

    /**
     * Attention of every query to every key.
     *
     * @param q queries, [batch, heads, queries, headWidth]
     * @param k keys, [batch, heads, keys, headWidth]
     * @param v values, [batch, heads, keys, headWidth]
     * @param causal whether query i sees keys 0..i only
     * @return [batch, heads, queries, headWidth], in the type of q
     */
    public static Tensor attend(Tensor q, Tensor k, Tensor v, boolean causal) {
        double scale = 1 / Math.sqrt((double) q.size(3));
        if (q.is_cuda()) {
            return torch.scaled_dot_product_attention(
                    q, k, v, new TensorOptional(), 0.0, causal, new DoubleOptional(scale), false);
        }
        long scores = q.size(0) * q.size(1) * q.size(2) * k.size(2);
        if (causal || scores <= KEPT_SCORES) {
            return whole(q, k.mul(new Scalar(scale)), v, causal);
        }
        return Scopes.returning(() -> chunked(flat(q), flat(k), flat(v), scale).view(q.shape()));
    }

    private static Tensor whole(Tensor q, Tensor scaledKeys, Tensor v, boolean causal) {
        Tensor scores = q.matmul(scaledKeys.transpose(2, 3)); // [batch, heads, queries, keys]
        if (causal) {
            Tensor future = torch.ones(new long[] {q.size(2), v.size(2)}, new TensorOptions(ScalarType.Bool))
                    .triu(1);
            scores = scores.masked_fill(future, new Scalar(Float.NEGATIVE_INFINITY));
        }
        return scores.softmax(-1).matmul(v);
    }

    private static Tensor flat(Tensor x) {
        return x.reshape(-1, x.size(2), x.size(3)); // [batch * heads, tokens, headWidth]
    }

    private static Tensor chunked(Tensor q, Tensor k, Tensor v, double scale) {
        Tensor output = OwnGradient.withoutGraph(() -> forward(q, k.mul(new Scalar(scale)), v));
        return OwnGradient.isNeeded(q, k, v)
                ? OwnGradient.tie(
                        output,
                        new Tensor[] {q, k, v},
                        (gradient, saved) -> backward(gradient, saved, scale),
                        q,
                        k,
                        v,
                        output)
                : output;
    }

    /** What is scored at once: some heads with all their queries, or one head with some of them. */
    private record Chunk(long heads, long queries) {
        static Chunk of(long queries, long keys) {
            long parts = Math.max(1, (queries * keys + CHUNK_SCORES - 1) / CHUNK_SCORES);
            // Parts as good as equal: 257 queries are 129 and 128, since a single row would cost as much as many.
            return new Chunk(Math.max(1, CHUNK_SCORES / (queries * keys)), (queries + parts - 1) / parts);
        }
    }

    private interface Range {
        void compute(long from, long length);
    }

    private static void inParts(long whole, long part, Range range) {
        for (long from = 0; from < whole; from += part) {
            long start = from;
            try (PointerScope scope = new PointerScope()) {
                range.compute(start, Math.min(part, whole - start));
            }
        }
    }

    private static Tensor weights(Tensor q, Tensor transposedKeys) {
        Tensor scores = q.bmm(transposedKeys); // [heads, queries, keys]
        return torch.softmax_out(scores, scores, -1); // a row is read before it is written
    }

    private static Tensor forward(Tensor q, Tensor scaledKeys, Tensor v) {
        Tensor keys = scaledKeys.transpose(1, 2);
        Tensor output = torch.empty_like(q);
        Chunk chunk = Chunk.of(q.size(1), v.size(1));
        inParts(
                q.size(0),
                chunk.heads,
                (head, heads) -> inParts(q.size(1), chunk.queries, (from, length) -> {
                    Tensor queries = q.narrow(0, head, heads).narrow(1, from, length);
                    Tensor weights = weights(queries, keys.narrow(0, head, heads));
                    output.narrow(0, head, heads).narrow(1, from, length).copy_(weights.bmm(v.narrow(0, head, heads)));
                }));
        return output;
    }

    /** What the backward pass reads: queries, scaled keys, values, gradient of the output, and the mean of each query's gradients. */
    private record Inputs(Tensor q, Tensor scaledKeys, Tensor v, Tensor dOutput, Tensor mean) {
        Inputs heads(long from, long count) {
            return new Inputs(
                    q.narrow(0, from, count),
                    scaledKeys.narrow(0, from, count),
                    v.narrow(0, from, count),
                    dOutput.narrow(0, from, count),
                    mean.narrow(0, from, count));
        }

        Inputs queries(long from, long count) {
            return new Inputs(
                    q.narrow(1, from, count),
                    scaledKeys,
                    v,
                    dOutput.narrow(1, from, count),
                    mean.narrow(1, from, count));
        }

        /** Writes the gradient of the queries, adds to those of scaled keys and values. */
        void differentiate(Tensor dq, Tensor dk, Tensor dv) {
            Tensor weights = weights(q, scaledKeys.transpose(1, 2));
            dv.add_(weights.transpose(1, 2).bmm(dOutput));
            Tensor dScores = dOutput.bmm(v.transpose(1, 2)).sub_(mean).mul_(weights);
            dq.copy_(dScores.bmm(scaledKeys));
            dk.add_(dScores.transpose(1, 2).bmm(q));
        }
    }

    /** Gradients for q, k and v; those of k and v are summed over the chunks in fp32. */
    private static Tensor[] backward(Tensor gradient, Tensor[] saved, double scale) {
        Tensor dOutput = gradient.contiguous();
        // Sum over the keys of weight times its gradient, [batch * heads, queries, 1].
        Tensor mean = dOutput.mul(saved[3])
                .sum(new long[] {-1}, true, new ScalarTypeOptional(ScalarType.Float))
                .to(dOutput.scalar_type());
        Inputs all = new Inputs(saved[0], saved[1].mul(new Scalar(scale)), saved[2], dOutput, mean);
        Tensor dq = torch.empty_like(saved[0]);
        Tensor dk = torch.empty_like(saved[1]);
        Tensor dv = torch.empty_like(saved[2]);
        Chunk chunk = Chunk.of(dq.size(1), dk.size(1));
        inParts(dq.size(0), chunk.heads, (head, heads) -> {
            Inputs group = all.heads(head, heads);
            Tensor dqs = dq.narrow(0, head, heads);
            Tensor dks = zeros(group.scaledKeys);
            Tensor dvs = zeros(group.v);
            inParts(
                    dq.size(1),
                    chunk.queries,
                    (from, count) -> group.queries(from, count).differentiate(dqs.narrow(1, from, count), dks, dvs));
            dk.narrow(0, head, heads).copy_(dks.mul_(new Scalar(scale)));
            dv.narrow(0, head, heads).copy_(dvs);
        });
        return new Tensor[] {dq, dk, dv};
    }

    private static Tensor zeros(Tensor like) {
        return torch.zeros(like.shape(), new TensorOptions(ScalarType.Float));
    }
}
