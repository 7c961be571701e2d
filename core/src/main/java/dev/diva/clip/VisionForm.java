package dev.diva.clip;

import dev.diva.model.RotaryGrid;
import java.util.List;

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
 * @param stem convolutions that make the patches, from the pixels on, or null where it is one (MobileCLIP-B); there the class token has no
 *     position
 */
public record VisionForm(
        boolean classToken,
        boolean patchBias,
        boolean preNorm,
        Projection projection,
        Pool pool,
        RotaryGrid rotary,
        boolean flexible,
        List<Stem> stem) {
    /** OpenAI's. */
    public static final VisionForm CLIP = new VisionForm(true, false, true, Projection.PLAIN, null, null, false, null);
    /** The first SigLIP's. */
    public static final VisionForm SIGLIP =
            new VisionForm(false, true, false, Projection.NONE, null, null, false, null);
    /** SigLIP 2's with NaFlex. */
    public static final VisionForm NAFLEX = new VisionForm(false, true, false, Projection.NONE, null, null, true, null);

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
     * @param intermediateSize width inside its MLP; 0 without one
     * @param queries that attend to the tokens
     */
    public record Pool(long heads, long intermediateSize, long queries) {}

    /**
     * One convolution of a stem, whose kernels do not overlap.
     *
     * @param channels that it gives
     * @param kernel side, and stride, in pixels of what it sees
     */
    public record Stem(long channels, long kernel) {}
}
