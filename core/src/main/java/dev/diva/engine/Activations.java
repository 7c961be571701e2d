package dev.diva.engine;

import java.util.Arrays;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;

/**
 * What a block of layers leaves behind for its backward pass. Values and gradients are the same in either; in bf16 but for rounding, since
 * many rows take another kernel where no graph is built.
 */
public enum Activations {
    /** All that autograd asks for. */
    KEPT {
        @Override
        public Tensor through(Block block, Tensor... inputs) {
            return Scopes.returning(() -> block.forward(inputs));
        }
    },
    /** The inputs alone: the backward pass computes the block again, and then holds the activations of one block. */
    RECOMPUTED {
        @Override
        public Tensor through(Block block, Tensor... inputs) {
            if (!OwnGradient.isNeeded(inputs)) {
                return KEPT.through(block, inputs);
            }
            Tensor output = OwnGradient.withoutGraph(() -> block.forward(inputs));
            boolean[] isNeeded = OwnGradient.needed(inputs);
            return OwnGradient.tie(
                    output, inputs, (gradient, saved) -> recomputed(block, gradient, saved, isNeeded), inputs);
        }
    };

    /** Layers without randomness or state. */
    public interface Block {
        /** The output, which is no view of an input. */
        Tensor forward(Tensor... inputs);
    }

    /**
     * Computes a block.
     *
     * @param inputs whatever a gradient may flow to, parameters of the block apart; a block with trained parameters is recomputed only when
     *     one of these is part of a graph, as everything behind the first trained layer is
     * @return the output, owned by the caller's scope
     */
    public abstract Tensor through(Block block, Tensor... inputs);

    /** Gradients of the inputs; those of trained parameters add up in their places. */
    private static Tensor[] recomputed(Block block, Tensor gradient, Tensor[] saved, boolean... isNeeded) {
        Tensor[] leaves = new Tensor[saved.length];
        for (int i = 0; i < saved.length; i++) {
            leaves[i] = saved[i].detach().set_requires_grad(isNeeded[i]);
        }
        try (AutoGradMode graph = new AutoGradMode(true)) {
            Tensor output = block.forward(leaves);
            output.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
        }
        return Arrays.stream(leaves)
                .map(leaf ->
                        leaf.requires_grad() ? leaf.grad().detach() : null) // grad() is a place in the leaf, which goes
                .toArray(Tensor[]::new);
    }
}
