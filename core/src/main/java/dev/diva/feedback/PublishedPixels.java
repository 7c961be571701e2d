package dev.diva.feedback;

import dev.diva.clip.Preprocessing;
import dev.diva.data.ImageTransform;
import dev.diva.data.Normalize;
import dev.diva.data.RasterImage;

/**
 * The pixels of the authors' code: the crop is normalised with OpenAI's mean and std for every tower, and resized from there by plain
 * bilinear interpolation without antialiasing. The autoencoder gets the same numbers un-normalised with ImageNet's mean and std, so its
 * colours are wrong and its range is not -1..1.
 */
record PublishedPixels(Preprocessing preprocessing) implements TrainingPixels {
    private static final ImageTransform OPENAI = ImageTransform.openAi(224); // of which only mean and std are used
    private static final float[] IMAGENET_MEAN = {0.485f, 0.456f, 0.406f};
    private static final float[] IMAGENET_STD = {0.229f, 0.224f, 0.225f};

    @Override
    public float[] tower(RasterImage crop) {
        return Normalize.resizeBilinear(normalized(crop), crop.width(), preprocessing.imageSize());
    }

    @Override
    public float[] autoencoder(RasterImage crop) {
        float[] pixels = normalized(crop);
        int area = pixels.length / 3;
        for (int c = 0; c < 3; c++) {
            for (int i = c * area; i < (c + 1) * area; i++) {
                pixels[i] = 2 * (pixels[i] * IMAGENET_STD[c] + IMAGENET_MEAN[c]) - 1;
            }
        }
        return pixels;
    }

    private static float[] normalized(RasterImage crop) {
        return Normalize.toChw(crop, OPENAI.mean(), OPENAI.std());
    }
}
