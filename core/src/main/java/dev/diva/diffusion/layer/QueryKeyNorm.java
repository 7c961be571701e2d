package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * Root mean square normalisation of the queries and of the keys of every head.
 *
 * @param query learned scales, [headDim]; null where nothing is normed
 * @param key the same of the keys
 */
public record QueryKeyNorm(Tensor query, Tensor key) {
    /** Leaves both as they are. */
    public static final QueryKeyNorm NONE = new QueryKeyNorm(null, null);

    private static final double EPS = 1e-6;

    /** Reads {@code weight} [headDim] of both. */
    public static QueryKeyNorm of(Weights query, Weights key, long headDim) {
        return new QueryKeyNorm(query.vector("weight", headDim), key.vector("weight", headDim));
    }

    /** [batch, heads, tokens, headDim] to the same. */
    Tensor queries(Tensor q) {
        return normed(q, query);
    }

    /** [batch, heads, tokens, headDim] to the same. */
    Tensor keys(Tensor k) {
        return normed(k, key);
    }

    private static Tensor normed(Tensor x, Tensor scale) {
        return scale == null
                ? x
                : torch.rms_norm(
                        x, scale.shape(), new TensorOptional(scale.to(x.scalar_type())), new DoubleOptional(EPS));
    }
}
