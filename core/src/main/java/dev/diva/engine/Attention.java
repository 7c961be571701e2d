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
 * softmax(q k^T / sqrt(width)) v. In fp32 libtorch's fused kernel; in bf16 on a CPU, where that kernel reaches 2 % of the machine's
 * peak, matrix products. Where the scores are many they are made a chunk of queries at a time, forgotten, and made again in the
 * backward pass: memory for one chunk instead of all, at the speed of autograd with all of them.
 */
public final class Attention {
    /** Rows of queries that are scored at once, at most. */
    static final int QUERY_CHUNK = 256;

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
        if (!isOurs(q)) {
            return torch.scaled_dot_product_attention(
                    q, k, v, new TensorOptional(), 0.0, causal, new DoubleOptional(scale), false);
        }
        long scores = q.size(0) * q.size(1) * q.size(2) * k.size(2);
        if (causal || scores <= KEPT_SCORES) {
            return whole(q, k.mul(new Scalar(scale)), v, causal);
        }
        return Scopes.returning(() -> chunked(flat(q), flat(k), flat(v), scale).view(q.shape()));
    }

    /** Whether libtorch's own kernel is the slow one. */
    static boolean isOurs(Tensor q) {
        // A type that comes from libtorch is not the constant itself before it is interned.
        return q.scalar_type().intern() == ScalarType.BFloat16 && !q.is_cuda();
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

    /** Rows of a chunk, all as good as equal: 257 tokens are 129 and 128, since a single row would cost as much as many. */
    private static long step(long queries) {
        long chunks = (queries + QUERY_CHUNK - 1) / QUERY_CHUNK;
        return (queries + chunks - 1) / chunks;
    }

    private static Tensor forward(Tensor q, Tensor scaledKeys, Tensor v) {
        Tensor keys = scaledKeys.transpose(1, 2);
        Tensor output = torch.empty_like(q);
        long step = step(q.size(1));
        for (long from = 0; from < q.size(1); from += step) {
            long length = Math.min(step, q.size(1) - from);
            try (PointerScope scope = new PointerScope()) {
                Tensor weights = q.narrow(1, from, length).bmm(keys).softmax(-1); // [batch * heads, chunk, keys]
                output.narrow(1, from, length).copy_(weights.bmm(v));
            }
        }
        return output;
    }

    /** Gradients for q, k and v; those of k and v are summed over the chunks in fp32. */
    private static Tensor[] backward(Tensor gradient, Tensor[] saved, double scale) {
        Tensor q = saved[0];
        Tensor scaledKeys = saved[1].mul(new Scalar(scale));
        Tensor values = saved[2].transpose(1, 2);
        Tensor dOutput = gradient.contiguous();
        // Sum over the keys of weight times its gradient, [batch * heads, queries, 1].
        Tensor mean = dOutput.mul(saved[3])
                .sum(new long[] {-1}, true, new ScalarTypeOptional(ScalarType.Float))
                .to(q.scalar_type());
        Tensor dq = torch.empty_like(q);
        Tensor dk = torch.zeros(saved[1].shape(), new TensorOptions(ScalarType.Float));
        Tensor dv = torch.zeros(saved[2].shape(), new TensorOptions(ScalarType.Float));
        long step = step(q.size(1));
        for (long from = 0; from < q.size(1); from += step) {
            long length = Math.min(step, q.size(1) - from);
            try (PointerScope scope = new PointerScope()) {
                Tensor queries = q.narrow(1, from, length);
                Tensor dChunk = dOutput.narrow(1, from, length);
                Tensor weights = queries.bmm(scaledKeys.transpose(1, 2)).softmax(-1);
                dv.add_(weights.transpose(1, 2).bmm(dChunk));
                Tensor dScores =
                        dChunk.bmm(values).sub_(mean.narrow(1, from, length)).mul_(weights);
                dq.narrow(1, from, length).copy_(dScores.bmm(scaledKeys));
                dk.add_(dScores.transpose(1, 2).bmm(queries));
            }
        }
        return new Tensor[] {dq, dk.mul_(new Scalar(scale)).to(q.scalar_type()), dv.to(q.scalar_type())};
    }
}
