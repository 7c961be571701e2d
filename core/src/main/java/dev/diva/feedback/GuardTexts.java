package dev.diva.feedback;

import dev.diva.engine.Scopes;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Texts of which each image keeps its similarity with its own: weight * mean over images of sum over texts p * (change of the cosine)^2, where p is
 * what the untouched CLIP gives the text in zero-shot classification. A detail that enters the embedding along one of these texts moves what
 * statements of both images of a pair prefer alike; along all other directions it is free.
 */
public final class GuardTexts implements AutoCloseable {
    private final Tensor texts;
    private final double scale;
    private final double weight;

    /**
     * @param texts embeddings of unit length, fp32 [texts, width], kept until closed
     * @param scale by which the CLIP multiplies cosines before the softmax
     */
    public GuardTexts(Tensor texts, double scale, double weight) {
        this.texts = Scopes.keep(texts);
        this.scale = scale;
        this.weight = weight;
    }

    /**
     * @param now embeddings of unit length, [images, width]
     * @param before the same by the untouched tower
     * @return scalar
     */
    Tensor penalty(Tensor now, Tensor before) {
        Tensor transposed = texts.t();
        Tensor probabilities;
        try (NoGradGuard noGrad = new NoGradGuard()) {
            probabilities = before.matmul(transposed).mul(new Scalar(scale)).softmax(-1);
        }
        Tensor change = now.sub(before).matmul(transposed);
        return probabilities.mul(change.square()).sum(-1).mean().mul(new Scalar(weight));
    }

    @Override
    public void close() {
        Scopes.release(texts);
    }
}
