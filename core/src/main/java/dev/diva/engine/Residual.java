package dev.diva.engine;

import org.bytedeco.pytorch.Tensor;

/** x + branch(x). */
public final class Residual {
    private Residual() {}

    /**
     * The sum, in the memory of the branch: but not through a view on the way of a gradient, which autograd would then copy thrice.
     *
     * @param branch which nothing else sees
     * @param x of the same shape
     */
    public static Tensor add(Tensor branch, Tensor x) {
        return branch.is_view() && OwnGradient.isNeeded(branch) ? branch.add(x) : branch.add_(x);
    }
}
