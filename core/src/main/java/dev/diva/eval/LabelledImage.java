package dev.diva.eval;

import dev.diva.data.ImageEntry;

/**
 * An image with what is on it.
 *
 * @param labels the class index alone, or with several labels an image a 0 or 1 per class
 */
@SuppressWarnings("ArrayRecordComponent")
public record LabelledImage(ImageEntry image, int[] labels) {}
