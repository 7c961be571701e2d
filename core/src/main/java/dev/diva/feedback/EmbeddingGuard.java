package dev.diva.feedback;

import dev.diva.clip.VisionTower;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Keeps the zero-shot embedding near the one of the untouched tower: weight * mean(1 - cosine). Not in the paper. */
public final class EmbeddingGuard {
    private final VisionTower trained;
    private final VisionTower original;
    private final double weight;

    public EmbeddingGuard(VisionTower trained, VisionTower original, double weight) {
        this.trained = trained;
        this.original = original;
        this.weight = weight;
    }

    /**
     * The penalty of a batch.
     *
     * @param hidden of the trained tower
     * @param pixels the tower's
     * @return scalar, fp32
     */
    public Tensor penalty(Tensor hidden, Tensor pixels) {
        Tensor now = unit(trained.embedding(hidden));
        Tensor before;
        try (NoGradGuard noGrad = new NoGradGuard()) {
            before = unit(original.embedding(original.encode(pixels)));
        }
        Tensor cosine = now.mul(before).sum(-1);
        return cosine.neg().add(new Scalar(1)).mean().mul(new Scalar(weight));
    }

    private static Tensor unit(Tensor embeddings) {
        Tensor x = embeddings.to(torch.kFloat());
        return x.div(x.square()
                .sum(new long[] {-1}, true, new org.bytedeco.pytorch.ScalarTypeOptional())
                .sqrt());
    }
}
