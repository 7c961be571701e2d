package dev.diva.clip;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * All tokens of a batch of images after the final norm (and the projection of CLIP).
 *
 * @param pooled the class token, or SigLIP's attention-pooled one: [batch, width]
 * @param patches the local tokens in row-major order of the patches: [batch, patches, width]
 */
public record VisionTokens(Tensor pooled, Tensor patches) {
    /** The pooled token, then the patches: [batch, 1 + patches, width]. */
    public Tensor all() {
        return torch.cat(new TensorVector(pooled.unsqueeze(1), patches), 1);
    }
}
