package dev.diva.engine;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Attention of tokens that see themselves and a context, and not each other: the weights are softmax([q k_self, q k^T + bias]) with both
 * products divided by sqrt(width). The same as full attention under a mask that hides the rest, at the cost of the rows alone.
 */
public final class SelfAndContext {
    private SelfAndContext() {}

    /**
     * Attends.
     *
     * @param q [batch, heads, tokens, headWidth], as the own keys and values
     * @param k keys of the context, [batch, heads, context, headWidth], as its values
     * @param bias [batch, heads, tokens, context]
     * @return [batch, heads, tokens, headWidth]
     */
    public static Tensor attend(Tensor q, Tensor ownK, Tensor ownV, Tensor k, Tensor v, Tensor bias) {
        return Scopes.returning(() -> {
            Tensor scaled = q.mul(new Scalar(1 / Math.sqrt((double) q.size(3))));
            Tensor own = scaled.mul(ownK).sum(new long[] {3}, true, null);
            Tensor others = scaled.matmul(k.transpose(2, 3)).add(bias);
            Tensor scores = torch.cat(new TensorVector(own.to(ScalarType.Float), others.to(ScalarType.Float)), 3);
            Tensor weights = torch.softmax(scores, 3).to(q.scalar_type());
            Tensor ofOthers = weights.narrow(3, 1, k.size(2)).matmul(v);
            return weights.narrow(3, 0, 1).mul(ownV).add(ofOthers);
        });
    }
}
