package dev.diva.diffusion;

import org.bytedeco.pytorch.Tensor;

/**
 * One text encoder, whose last states a denoiser attends to: Stable Diffusion 1.x and 2.x.
 *
 * @param plain the text encoder
 */
record PlainPrompts(PromptEncoder plain) implements TeacherPrompts {
    @Override
    public Condition encode(String prompt) {
        return Condition.of(plain.encode(prompt));
    }

    @Override
    public Tensor vector(String prompt) {
        return null;
    }
}
