package dev.diva.feedback;

import dev.diva.clip.VisionTower;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Keeps the zero-shot embedding near the one of the untouched tower, in all directions or in those that texts care for. Not in the paper.
 */
public final class EmbeddingGuard {
    private final VisionTower trained;
    private final VisionTower original;
    private final double weight;
    private final GuardTexts texts; // or null

    /**
     * @param weight of 1 - cosine of both embeddings
     * @param texts of which an image keeps its similarity with its own, or null
     */
    public EmbeddingGuard(VisionTower trained, VisionTower original, double weight, GuardTexts texts) {
        this.trained = trained;
        this.original = original;
        this.weight = weight;
        this.texts = texts;
    }

    /**
     * The penalty of a batch.
     *
     * @param hidden of the trained tower: of the images, then perhaps of other views, in the batch that dropout was begun for
     * @param pixels the tower's
     * @return scalar, fp32
     */
    public Tensor penalty(Tensor hidden, Tensor pixels) {
        Tensor now = unit(trained.embedding(hidden).narrow(0, 0, pixels.size(0)));
        Tensor before;
        try (NoGradGuard noGrad = new NoGradGuard()) {
            before = unit(original.embedding(original.encode(pixels)));
        }
        Tensor cosine = now.mul(before).sum(-1);
        Tensor penalty = cosine.neg().add(new Scalar(1)).mean().mul(new Scalar(weight));
        return texts == null ? penalty : penalty.add(texts.penalty(now, before));
    }

    private static Tensor unit(Tensor embeddings) {
        Tensor x = embeddings.to(torch.kFloat());
        return x.div(
                x.square().sum(new long[] {-1}, true, new ScalarTypeOptional()).sqrt());
    }
}
