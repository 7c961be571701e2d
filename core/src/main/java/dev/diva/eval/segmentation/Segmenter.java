package dev.diva.eval.segmentation;

import dev.diva.data.RasterImage;

/** Names the class of every pixel. */
public interface Segmenter {
    /**
     * The class of every pixel at the picture's own size, in row-major order.
     *
     * @return positions in the list of names that it was made for
     */
    int[] labels(RasterImage image);
}
