package dev.diva.eval;

import java.util.List;

/** A model with both towers, as its scores see it. Which feature of an image it hands out is its own choice, made when it was built. */
public interface ImageTextEncoder extends ImageEncoder {
    /** Name of the model in records. */
    String name();

    /** L2-normalised embeddings, a row per text. */
    float[][] texts(List<String> texts);

    /** Names the text tower by its content: models of equal answers here give the same embeddings of texts. */
    String textTower();

    /** Factor of the cosines in the model's own logits. */
    float logitScale();
}
