package dev.diva.diffusion.t5;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Kernels;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** What the distance between two tokens adds to their score in every attention: near ones are told apart, far ones by their logarithm. */
final class RelativePositions {
    private final Tensor table; // [buckets, heads]
    private final T5Config config;

    /** @param weights the view under {@code relative_attention_bias}, which the first block has */
    RelativePositions(Weights weights, T5Config config) {
        this.table = weights.matrix("weight", config.buckets(), config.heads());
        this.config = config;
    }

    /** Fp32 [1, heads, tokens, tokens]: of queries to keys. */
    Tensor bias(long tokens) {
        return Scopes.returning(() -> {
            int count = Math.toIntExact(tokens);
            long[] ofDistance = buckets(count);
            long[] all = new long[count * count];
            long forward = config.buckets() / 2;
            for (int query = 0; query < count; query++) {
                for (int key = 0; key < count; key++) {
                    long bucket = ofDistance[Math.abs(key - query)];
                    all[query * count + key] = key > query ? forward + bucket : bucket;
                }
            }
            Tensor ids = Tensors.onto(Tensors.of(all, count, count), table.device(), ScalarType.Long);
            return Kernels.embedding(table, ids)
                    .permute(2, 0, 1)
                    .unsqueeze(0)
                    .to(ScalarType.Float)
                    .contiguous();
        });
    }

    /** Of distances 0 to count - 1, in fp32 step by step as the reference: at powers of two a rounding decides. */
    private long[] buckets(int count) {
        long exact = config.exact();
        long half = config.buckets() / 2;
        Tensor distances = torch.arange(new Scalar((float) count), new TensorOptions(ScalarType.Float));
        Tensor far = distances
                .div(new Scalar((double) exact))
                .log()
                .div(new Scalar(Math.log((double) config.maxDistance() / exact)))
                .mul(new Scalar((double) (half - exact)))
                .clamp_min(new Scalar(0.0))
                .to(ScalarType.Long);
        long[] buckets = Tensors.toLongs(far);
        for (int i = 0; i < count; i++) {
            buckets[i] = i < exact ? i : Math.min(half - 1, exact + buckets[i]);
        }
        return buckets;
    }
}
