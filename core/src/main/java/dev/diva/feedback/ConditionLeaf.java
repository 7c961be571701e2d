package dev.diva.feedback;

import dev.diva.diffusion.Condition;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A condition cut off from what made it: gradients of any number of predictions add up at the cut, and one pass carries them on.
 *
 * @param made in fp32, part of the graph of what made it
 * @param cut the same numbers, from which a graph of its own begins; to be given to a denoiser
 */
public record ConditionLeaf(Condition made, Condition cut) {
    /** Cuts a condition; a part without gradient stays without. */
    public static ConditionLeaf of(Condition condition) {
        Condition made = new Condition(fp32(condition.tokens()), fp32(condition.vector()));
        return new ConditionLeaf(made, new Condition(leaf(made.tokens()), leaf(made.vector())));
    }

    private static Tensor fp32(Tensor part) {
        return part == null ? null : part.to(torch.kFloat());
    }

    private static Tensor leaf(Tensor part) {
        return part == null ? null : part.detach().set_requires_grad(part.requires_grad());
    }

    /** A scalar whose gradient at what made the condition is exactly what the predictions left at the cut. */
    public Tensor link() {
        Tensor tokens = link(made.tokens(), cut.tokens());
        Tensor vector = link(made.vector(), cut.vector());
        return tokens == null ? vector : vector == null ? tokens : tokens.add(vector);
    }

    private static Tensor link(Tensor part, Tensor leaf) {
        return part == null || !part.requires_grad()
                ? null
                : part.mul(leaf.grad()).sum();
    }
}
