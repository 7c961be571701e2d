package dev.diva.engine;

import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * softmax(q k^T / sqrt(width)) v. In fp32 libtorch's fused kernel; in bf16 on a CPU, where that kernel reaches 2 % of the machine's
 * peak, products over chunks of the queries, which bounds the memory of the scores as well.
 */
public final class Attention {
    /** Rows of queries that are scored at once. */
    static final int QUERY_CHUNK = 512;

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
        if (q.scalar_type() == ScalarType.BFloat16 && !q.is_cuda()) {
            return chunked(q, k, v, scale, causal);
        }
        return torch.scaled_dot_product_attention(
                q, k, v, new TensorOptional(), 0.0, causal, new DoubleOptional(scale), false);
    }

    private static Tensor chunked(Tensor q, Tensor k, Tensor v, double scale, boolean causal) {
        long queries = q.size(2);
        Tensor keys = k.mul(new Scalar(scale)).transpose(2, 3);
        if (queries <= QUERY_CHUNK) {
            return chunk(q, keys, v, 0, causal);
        }
        TensorVector chunks = new TensorVector();
        for (long from = 0; from < queries; from += QUERY_CHUNK) {
            long length = Math.min(QUERY_CHUNK, queries - from);
            chunks.push_back(chunk(q.narrow(2, from, length), keys, v, from, causal));
        }
        return torch.cat(chunks, 2);
    }

    private static Tensor chunk(Tensor q, Tensor scaledKeys, Tensor v, long from, boolean causal) {
        Tensor scores = q.matmul(scaledKeys); // [batch, heads, chunk, keys]
        if (causal) {
            Tensor future = torch.ones(
                            new long[] {q.size(2), v.size(2)}, new org.bytedeco.pytorch.TensorOptions(ScalarType.Bool))
                    .triu(from + 1);
            scores = scores.masked_fill(future, new Scalar(Float.NEGATIVE_INFINITY));
        }
        return scores.softmax(-1).matmul(v);
    }
}
