package dev.diva.eval;

import dev.diva.data.ImageEntry;
import java.util.List;

/** A model that embeds images. */
public interface ImageEncoder {
    /** What the image tower takes of an image; reads and decodes it. Any thread may call. */
    float[] pixels(ImageEntry image);

    /** L2-normalised embeddings, a row per image. */
    float[][] images(List<float[]> pixels);
}
