package dev.diva.objective.un2clip;

import dev.diva.BadInputException;

/**
 * How the embedding is disturbed before the generator is told of it. Stable unCLIP was trained with any level, and with nothing told of a
 * quarter of the images; what un2CLIP does is not known.
 *
 * @param isNoised whether each image gets a level of its own, uniform over all, and noise; else level 0 and none
 * @param dropProbability with which the generator is told nothing of an image, 0 to less than 1
 */
public record EmbeddingNoise(boolean isNoised, double dropProbability) {
    /** The embedding as it is. */
    public static final EmbeddingNoise NONE = new EmbeddingNoise(false, 0);

    /** As the generator was trained. */
    public static final EmbeddingNoise GENERATOR = new EmbeddingNoise(true, 0.25);

    public EmbeddingNoise {
        if (!(dropProbability >= 0 && dropProbability < 1)) {
            throw new BadInputException(
                    "embeddings are dropped with probability " + dropProbability + ", expected 0 to less than 1");
        }
    }
}
