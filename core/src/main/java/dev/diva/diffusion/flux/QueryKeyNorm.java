package dev.diva.diffusion.flux;

import dev.diva.checkpoint.Weights;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** Root mean square normalisation of the queries and of the keys of every head, with learned scales. */
final class QueryKeyNorm {
    private static final double EPS = 1e-6;

    private final Tensor query; // [headDim]
    private final Tensor key;
    private final long headDim;

    /** @param weights the view under {@code norm} */
    QueryKeyNorm(Weights weights, long headDim) {
        this.query = weights.at("query_norm").vector("scale", headDim);
        this.key = weights.at("key_norm").vector("scale", headDim);
        this.headDim = headDim;
    }

    Tensor queries(Tensor q) {
        return normed(q, query);
    }

    Tensor keys(Tensor k) {
        return normed(k, key);
    }

    private Tensor normed(Tensor x, Tensor scale) {
        return torch.rms_norm(
                x, new long[] {headDim}, new TensorOptional(scale.to(x.scalar_type())), new DoubleOptional(EPS));
    }
}
