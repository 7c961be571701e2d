package dev.diva.world.pretrain;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** CLIP's loss: each image is to find its own text among those of the batch, and each text its image. */
final class ContrastiveLoss {
    private ContrastiveLoss() {}

    /**
     * Mean of the cross entropies over rows and over columns of the scaled cosines.
     *
     * @param images embeddings, [batch, width]
     * @param texts embeddings, [batch, width]
     * @param logLogitScale scalar
     */
    static Tensor of(Tensor images, Tensor texts, Tensor logLogitScale) {
        Tensor logits = unit(images).matmul(unit(texts).t()).mul(logLogitScale.exp()); // [images, texts]
        Tensor own = torch.arange(new Scalar(images.size(0)), new TensorOptions(ScalarType.Long));
        return torch.cross_entropy_loss(logits, own)
                .add(torch.cross_entropy_loss(logits.t(), own))
                .mul(new Scalar(0.5));
    }

    private static Tensor unit(Tensor x) {
        return x.div(x.norm(new ScalarOptional(new Scalar(2.0)), new long[] {-1}, true));
    }
}
