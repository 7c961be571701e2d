package dev.diva.diffusion;

import dev.diva.engine.Placement;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Stable Diffusion 3: the last layers but one of two CLIPs side by side, filled up with zeros, followed by the states of T5; the projected
 * pooled texts of both CLIPs beside them. T5 is looked for once a prompt's states are asked for; without it zeros stand in its place.
 *
 * @param folder the model's
 * @param first text encoder of CLIP
 * @param second text encoder of CLIP
 * @param width of the states that the denoiser attends to
 */
record Sd3Prompts(ModelFolder folder, Placement placement, PromptEncoder first, PromptEncoder second, long width)
        implements TeacherPrompts {
    /** Of a prompt for T5; diffusers pads and cuts to as many. */
    private static final int TOKENS = 256;

    @Override
    public Condition encode(String prompt) {
        PromptEncoder.Pooled one = first.pooling(prompt, true);
        PromptEncoder.Pooled two = second.pooling(prompt, true);
        Tensor clip = torch.cat(new TensorVector(one.penultimate(), two.penultimate()), -1);
        long[] missing = {0, width - clip.size(2)};
        Tensor states = torch.constant_pad_nd(clip, missing, new Scalar(0.0));
        Tensor words = folder.has("text_encoder_3")
                ? new T5Prompts(folder, placement, "_3", TOKENS, width).encode(prompt)
                : torch.zeros(new long[] {1, states.size(1), width}, new TensorOptions(ScalarType.Float))
                        .to(states.device(), ScalarType.Float);
        return new Condition(torch.cat(new TensorVector(states, words), 1), vector(one, two));
    }

    @Override
    public Tensor vector(String prompt) {
        return vector(first.pooling(prompt, true), second.pooling(prompt, true));
    }

    private static Tensor vector(PromptEncoder.Pooled one, PromptEncoder.Pooled two) {
        return torch.cat(new TensorVector(one.vector(), two.vector()), -1);
    }
}
