package dev.diva.feedback;

import dev.diva.clip.Preprocessing;
import dev.diva.data.Normalize;
import dev.diva.data.RasterImage;

/** Each model gets what it was trained on: the tower its own preprocessing of the 8-bit crop, the autoencoder -1..1. */
record CorrectedPixels(Preprocessing preprocessing) implements TrainingPixels {
    @Override
    public float[] tower(RasterImage crop) {
        return preprocessing.pixels(crop);
    }

    @Override
    public boolean keepsRatio() {
        return preprocessing.patches() != null;
    }

    @Override
    public float[] autoencoder(RasterImage crop) {
        return Normalize.toAutoencoder(crop);
    }
}
