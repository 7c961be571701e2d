package dev.diva.clip;

import dev.diva.model.RotaryGrid;

/**
 * What a vision tower has around its layers.
 *
 * @param classToken whether a learned token stands before the patches
 * @param patchBias whether the patch embedding has a bias
 * @param preNorm whether what enters the first layer is normed
 * @param projection between the pooled token and the embedding
 * @param pool shape of the attention pooling, or null where it is that of the layers, or where there is none
 * @param rotary how queries and keys are turned by the place of their patch, or null
 * @param flexible whether it takes pictures at their own ratio, by a table of positions that is resized to each (SigLIP 2 NaFlex)
 */
public record VisionForm(
        boolean classToken,
        boolean patchBias,
        boolean preNorm,
        Projection projection,
        Pool pool,
        RotaryGrid rotary,
        boolean flexible) {
    /** OpenAI's. */
    public static final VisionForm CLIP = new VisionForm(true, false, true, Projection.PLAIN, null, null, false);
    /** The first SigLIP's. */
    public static final VisionForm SIGLIP = new VisionForm(false, true, false, Projection.NONE, null, null, false);
    /** SigLIP 2's with NaFlex. */
    public static final VisionForm NAFLEX = new VisionForm(false, true, false, Projection.NONE, null, null, true);

    /** The last linear layer of a tower. */
    public enum Projection {
        /** The pooled token is the embedding. */
        NONE,
        /** A matrix. */
        PLAIN,
        /** A matrix and a bias: the heads of timm. */
        BIASED
    }

    /**
     * An attention pooling.
     *
     * @param heads of its attention
     * @param intermediateSize width inside its MLP
     */
    public record Pool(long heads, long intermediateSize) {}
}
