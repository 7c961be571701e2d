package dev.diva.language;

import dev.diva.engine.Scopes;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Causal attention whose scores have a scale of their own and are squeezed softly below a cap: cap tanh(scale q k / cap) (Gemma 2, arXiv
 * 2408.00118).
 *
 * @param scale of the products
 * @param cap above 0, or 0 for none
 */
record CappedScores(double scale, double cap) {
    /** Whole sequences, each [batch, heads, tokens, headDim]; softmax in fp32, the result has the type of v. */
    Tensor attend(Tensor q, Tensor k, Tensor v) {
        return Scopes.returning(() -> {
            Tensor products = q.matmul(k.transpose(2, 3)).mul(new Scalar(scale));
            Tensor scores =
                    cap == 0 ? products : products.div(new Scalar(cap)).tanh().mul(new Scalar(cap));
            TensorOptions flags = new TensorOptions(ScalarType.Bool).device(new DeviceOptional(q.device()));
            Tensor future = torch.ones(new long[] {q.size(2), k.size(2)}, flags).triu(1);
            Tensor seen = scores.to(ScalarType.Float).masked_fill(future, new Scalar(Float.NEGATIVE_INFINITY));
            return seen.softmax(-1).to(v.scalar_type()).matmul(v);
        });
    }
}
