package dev.diva.feedback;

import dev.diva.clip.Preprocessing;
import dev.diva.data.RasterImage;

/** What the two models see of one crop. Safe for any number of threads. */
public interface TrainingPixels {
    /**
     * The tower's pixels.
     *
     * @param crop RGB, square; where {@link #keepsRatio} of any ratio
     * @return as {@link Preprocessing#pixels} gives them
     */
    float[] tower(RasterImage crop);

    /** Whether the tower takes a crop at its own ratio. */
    default boolean keepsRatio() {
        return false;
    }

    /**
     * The autoencoder's pixels.
     *
     * @param crop RGB, square
     * @return about -1..1, [3, resolution, resolution]
     */
    float[] autoencoder(RasterImage crop);

    /**
     * The way from a crop to both models.
     *
     * @param published {@link PublishedPixels} or {@link CorrectedPixels}
     * @param preprocessing the tower's; null where its pixels are never asked for
     */
    static TrainingPixels of(boolean published, Preprocessing preprocessing) {
        return published ? new PublishedPixels(preprocessing) : new CorrectedPixels(preprocessing);
    }
}
