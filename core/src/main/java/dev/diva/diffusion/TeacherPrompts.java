package dev.diva.diffusion;

import org.bytedeco.pytorch.Tensor;

/** What the text encoders of a folder tell its denoiser of a prompt. */
interface TeacherPrompts {
    /** Tokens, [1, tokens, width], and the vector beside them, [1, width] or null; fp32, owned by the caller's scope. */
    Condition encode(String prompt);

    /** The vector alone. */
    Tensor vector(String prompt);

    /** The text encoder whose last states are the tokens; null where they are made in another way. */
    default PromptEncoder plain() {
        return null;
    }
}
