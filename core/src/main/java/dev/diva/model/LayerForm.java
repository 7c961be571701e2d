package dev.diva.model;

/**
 * How a transformer layer departs from CLIP's: x + attention(norm(x)), then x + mlp(norm(x)), the MLP two linear layers.
 *
 * @param keyBias whether the keys of the attention have a bias; EVA's have none
 * @param attentionNorm whether what was attended is normed before its output layer (EVA-02)
 * @param gatedMlp whether the MLP is a SwiGLU with a norm before its last layer (EVA-02)
 * @param postNorm whether a branch is normed behind and not before it: x + norm(attention(x)) (EVA-02-E)
 * @param layerScale whether a learned factor per channel scales each branch
 */
public record LayerForm(
        boolean keyBias, boolean attentionNorm, boolean gatedMlp, boolean postNorm, boolean layerScale) {
    /** CLIP's and SigLIP's. */
    public static final LayerForm CLIP = new LayerForm(true, false, false, false, false);
}
