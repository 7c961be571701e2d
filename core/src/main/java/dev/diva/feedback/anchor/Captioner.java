package dev.diva.feedback.anchor;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Two models that read the same captions. */
public interface Captioner {
    /** Embeddings of unit length by the CLIP, fp32 [captions, width], owned by the caller's scope. */
    Tensor embeddings(List<String> captions);

    /** What the teacher is to be told of them, fp32 [captions, tokens, width], owned by the caller's scope. */
    Tensor conditions(List<String> captions);
}
