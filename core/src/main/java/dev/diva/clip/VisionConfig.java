package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.model.TransformerConfig;

/**
 * Shape of a vision tower.
 *
 * @param transformer its layers
 * @param imageSize side of the square image in pixels
 * @param patchSize side of a patch in pixels
 * @param pooling how the tokens become one embedding
 * @param projectionDim width of the embedding; that of the transformer where there is no projection
 */
public record VisionConfig(
        TransformerConfig transformer, long imageSize, long patchSize, Pooling pooling, long projectionDim) {
    /** How the tokens of an image become one embedding. */
    public enum Pooling {
        /** A class token, normed and projected: CLIP. */
        CLASS_TOKEN,
        /** A probe that attends to all tokens, without projection: SigLIP. */
        MAP
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

    /** Tokens that the transformer sees. */
    public long numTokens() {
        return numPatches() + (pooling == Pooling.CLASS_TOKEN ? 1 : 0);
    }
}
