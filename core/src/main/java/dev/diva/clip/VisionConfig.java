package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.model.LayerForm;
import dev.diva.model.TransformerConfig;

/**
 * Shape of a vision tower.
 *
 * @param transformer its layers
 * @param imageSize side of the square image in pixels
 * @param patchSize side of a patch in pixels
 * @param pooling how the tokens become one embedding
 * @param projectionDim width of the embedding; that of the transformer where there is no projection
 * @param form what is around the layers
 */
public record VisionConfig(
        TransformerConfig transformer,
        long imageSize,
        long patchSize,
        Pooling pooling,
        long projectionDim,
        VisionForm form) {
    /** How the tokens of an image become one embedding. */
    public enum Pooling {
        /** A class token, normed and projected: CLIP. */
        CLASS_TOKEN,
        /** A probe that attends to all tokens: SigLIP without projection, PE with one. */
        MAP,
        /** The mean of the patches, normed and projected: CLIPA. */
        AVERAGE,
        /** The first of learned queries that attend to all tokens, normed and projected: CoCa. */
        QUERIES
    }

    /** A tower of OpenAI's form with a class token, or of SigLIP's with attention pooling. */
    public VisionConfig(
            TransformerConfig transformer, long imageSize, long patchSize, Pooling pooling, long projectionDim) {
        this(
                transformer,
                imageSize,
                patchSize,
                pooling,
                projectionDim,
                pooling == Pooling.MAP ? VisionForm.SIGLIP : VisionForm.CLIP);
    }

    public VisionConfig {
        if (patchSize < 1 || imageSize < patchSize) {
            throw new BadInputException("image size " + imageSize + " with patches of " + patchSize);
        }
    }

    /** Patches of one image. */
    public long numPatches() {
        long side = imageSize / patchSize;
        return side * side;
    }

    /** Tokens that an image has beside the pooled one: the patches, or the queries behind the first. */
    public long numLocalTokens() {
        return pooling == Pooling.QUERIES ? form.pool().queries() - 1 : numPatches();
    }

    /** Rows of the table of positions. */
    public long numPositions() {
        return form.stem() == null ? numTokens() : numPatches();
    }

    /** Tokens that the transformer sees. */
    public long numTokens() {
        return numPatches() + leadingTokens();
    }

    /** Tokens before the patches. */
    public int leadingTokens() {
        return form.classToken() ? 1 : 0;
    }

    /** Whether it is built as OpenAI's are, so that what was made for those takes it: LLaVA, SAN, transformers' CLIPModel. */
    public boolean isPlainClip() {
        return pooling == Pooling.CLASS_TOKEN
                && form.equals(VisionForm.CLIP)
                && transformer.form().equals(LayerForm.CLIP);
    }

    /** Whether it is built as the first SigLIP's. */
    public boolean isPlainSiglip() {
        return pooling == Pooling.MAP
                && form.equals(VisionForm.SIGLIP)
                && transformer.form().equals(LayerForm.CLIP);
    }
}
