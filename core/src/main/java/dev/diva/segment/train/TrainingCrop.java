package dev.diva.segment.train;

import dev.diva.data.RasterImage;

/**
 * A square of a picture with its labels; beyond the picture it is grey and ignored.
 *
 * @param pixels RGB
 * @param labels in row-major order
 */
record TrainingCrop(RasterImage pixels, int[] labels) {}
