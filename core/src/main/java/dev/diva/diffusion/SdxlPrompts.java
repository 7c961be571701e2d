package dev.diva.diffusion;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The last layers but one of both text encoders side by side, and the second one's pooled text.
 *
 * @param first the text encoder without projection
 * @param second the one with a projection
 */
record SdxlPrompts(PromptEncoder first, PromptEncoder second) implements TeacherPrompts {
    @Override
    public Condition encode(String prompt) {
        Tensor states = first.pooling(prompt, false).penultimate();
        PromptEncoder.Pooled pooled = second.pooling(prompt, true);
        return new Condition(torch.cat(new TensorVector(states, pooled.penultimate()), -1), pooled.vector());
    }

    @Override
    public Tensor vector(String prompt) {
        return second.pooling(prompt, true).vector();
    }
}
