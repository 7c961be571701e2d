package dev.diva.world;

import dev.diva.BadInputException;
import dev.diva.world.paint.SceneRenderer;

/**
 * What a world holds. The same recipe gives the same world.
 *
 * @param seed of every stream of the world
 * @param side pixels on each side of an image
 * @param pretrain captioned images for the small models
 * @param posttrain images without captions
 * @param retrieval images for gist retrieval, each of a gist of its own
 * @param pairs pairs a pattern, in validation and in test
 * @param probe images with labels, to train the probe; half as many to test it
 * @param named probability that a web caption names a fine attribute
 */
public record WorldRecipe(
        long seed, int side, int pretrain, int posttrain, int retrieval, int pairs, int probe, double named) {
    /** The world of the demo. */
    public static final WorldRecipe DEFAULT =
            new WorldRecipe(1, SceneRenderer.SIDE, 32_000, 32_000, 400, 100, 4_000, 0.05);

    public WorldRecipe {
        if (Math.min(Math.min(pretrain, posttrain), Math.min(Math.min(retrieval, pairs), probe)) < 0) {
            throw new BadInputException("world: a number of images or pairs is negative");
        }
        if (retrieval > LabelledSets.GISTS) {
            throw new BadInputException("world: retrieval " + retrieval + " images of different gists, there are only "
                    + LabelledSets.GISTS + " gists");
        }
        if (!(named >= 0 && named <= 1)) {
            throw new BadInputException("world: named is a probability, expected 0 to 1, found " + named);
        }
    }

    /** The same world with other images: nothing is shared with the first but the rules. */
    public WorldRecipe withSeed(long otherSeed) {
        return new WorldRecipe(otherSeed, side, pretrain, posttrain, retrieval, pairs, probe, named);
    }
}
