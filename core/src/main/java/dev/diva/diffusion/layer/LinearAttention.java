package dev.diva.diffusion.layer;

import dev.diva.engine.Kernels;
import dev.diva.engine.Scopes;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Attention whose weights are relu(q) relu(k) over their sum (Katharopoulos et al. 2020; Sana, arXiv 2410.10629): keys and values are summed
 * once, so that the cost grows with the number of tokens and not with its square. Computed in fp32.
 */
public final class LinearAttention {
    private static final double EPS = 1e-15; // against a query that no key answers

    private LinearAttention() {}

    /**
     * Every query attends to every key.
     *
     * @param q [batch, heads, queries, headDim]
     * @param k [batch, heads, keys, headDim]
     * @param v as k
     * @return as q, in the type of v
     */
    public static Tensor attend(Tensor q, Tensor k, Tensor v) {
        return Scopes.returning(() -> {
            Tensor queries = Kernels.relu(q.to(ScalarType.Float));
            Tensor keys = Kernels.relu(k.to(ScalarType.Float)).transpose(2, 3);
            Tensor values = queries.matmul(keys.matmul(v.to(ScalarType.Float)));
            Tensor sums = queries.matmul(keys.sum(new long[] {3}, true, new ScalarTypeOptional()));
            return values.div(sums.add(new Scalar(EPS))).to(v.scalar_type());
        });
    }
}
