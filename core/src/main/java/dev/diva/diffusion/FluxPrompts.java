package dev.diva.diffusion;

import dev.diva.engine.Placement;
import org.bytedeco.pytorch.Tensor;

/**
 * FLUX.1: the states of T5, and the pooled text of CLIP beside them. T5 is looked for once a prompt's states are asked for.
 *
 * @param folder the model's
 * @param clip the text encoder of the pooled text
 * @param width of the states that the denoiser attends to
 */
record FluxPrompts(ModelFolder folder, Placement placement, PromptEncoder clip, long width) implements TeacherPrompts {
    /** Of a prompt; diffusers pads and cuts to as many. */
    private static final int TOKENS = 512;

    @Override
    public Condition encode(String prompt) {
        return new Condition(new T5Prompts(folder, placement, "_2", TOKENS, width).encode(prompt), vector(prompt));
    }

    @Override
    public Tensor vector(String prompt) {
        return clip.pooling(prompt, false).vector();
    }
}
