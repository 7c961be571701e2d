package dev.diva.eval;

import java.util.List;

/** A model with both towers, as its scores see it. Which feature of an image it hands out is its own choice, made when it was built. */
public interface ImageTextEncoder {
    /** Name of the model in records. */
    String name();

    /** L2-normalised embeddings, a row per image. */
    float[][] images(List<EncodedImage> images);

    /** L2-normalised embeddings, a row per text. */
    float[][] texts(List<String> texts);

    /** Factor of the cosines in the model's own logits. */
    float logitScale();
}
