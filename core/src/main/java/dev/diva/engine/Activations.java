package dev.diva.engine;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * What a block of layers leaves behind for its backward pass. Values and gradients are the same in either; in bf16 but for rounding, since
 * many rows take another kernel where no graph is built.
 */
public enum Activations {
    /** All that autograd asks for. */
    KEPT {
        @Override
        Tensor through(Block block, long rowsAtOnce, Tensor... inputs) {
            return Scopes.returning(() -> block.forward(inputs));
        }
    },
    /** The inputs alone: the backward pass computes the block again, and then holds the activations of one block. */
    RECOMPUTED {
        @Override
        Tensor through(Block block, long rowsAtOnce, Tensor... inputs) {
            if (!OwnGradient.isNeeded(inputs)) {
                return KEPT.through(block, inputs);
            }
            Tensor output = OwnGradient.withoutGraph(() -> computed(block, parts(rowsAtOnce, inputs)));
            boolean[] isNeeded = OwnGradient.needed(inputs);
            return OwnGradient.tie(
                    output,
                    inputs,
                    (gradient, saved) -> recomputed(block, parts(rowsAtOnce, with(saved, gradient)), isNeeded),
                    inputs);
        }
    };

    /** Of the inputs that are computed together where a block is computed again: a weight is laid out for a product once for each part. */
    private static final long NUMBERS_AT_ONCE = 1 << 22;

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
    public Tensor through(Block block, Tensor... inputs) {
        return through(block, inputs[0].size(0), inputs);
    }

    /**
     * Computes a block in which no row depends on another, with frozen parameters. Where it is computed again, so many rows are at a time that
     * activations of a large batch take no more memory than those of a small one; threads of a processor have some rows each, so that none
     * waits for the others at the end of every operation.
     *
     * @param inputs as of {@link #through}, each of as many rows (its first axis)
     * @return as {@link #through}
     */
    public Tensor throughRows(Block block, Tensor... inputs) {
        long numbersOfRow = Arrays.stream(inputs).mapToLong(Tensor::numel).sum() / inputs[0].size(0);
        return through(block, Math.max(1, NUMBERS_AT_ONCE / numbersOfRow), inputs);
    }

    abstract Tensor through(Block block, long rowsAtOnce, Tensor... inputs);

    private static Tensor computed(Block block, List<Tensor[]> parts) {
        TensorVector outputs = new TensorVector();
        for (Tensor[] made : ofAll(parts, part -> new Tensor[] {block.forward(part)})) {
            outputs.push_back(made[0]);
        }
        return joined(outputs);
    }

    /** Gradients of the inputs, given their parts and, last in each, that of the gradient of the output. */
    private static Tensor[] recomputed(Block block, List<Tensor[]> parts, boolean... isNeeded) {
        TensorVector[] gradients =
                Stream.generate(TensorVector::new).limit(isNeeded.length).toArray(TensorVector[]::new);
        for (Tensor[] each : ofAll(
                parts,
                part -> recomputed(block, part[isNeeded.length], Arrays.copyOf(part, isNeeded.length), isNeeded))) {
            for (int i = 0; i < each.length; i++) {
                if (isNeeded[i]) {
                    gradients[i].push_back(each[i]);
                }
            }
        }
        return Arrays.stream(gradients)
                .map(each -> each.empty() ? null : joined(each))
                .toArray(Tensor[]::new);
    }

    /** What is made of each part; threads of a processor have some parts each. */
    private static List<Tensor[]> ofAll(List<Tensor[]> parts, Function<Tensor[], Tensor[]> computation) {
        return InterOp.computeSeveral(
                parts.size(), threads(parts.get(0)), number -> computation.apply(parts.get(number)));
    }

    /** Tensors cut into as few parts of equally many rows as have no more than those at once, and of as many as threads want. */
    private static List<Tensor[]> parts(long rowsAtOnce, Tensor... tensors) {
        long rows = tensors[0].size(0);
        if (rows <= rowsAtOnce) {
            return List.<Tensor[]>of(tensors);
        }
        int threads = threads(tensors);
        long rowsOfAll = rowsAtOnce * threads;
        long parts = Math.min(rows, (rows + rowsOfAll - 1) / rowsOfAll * threads);
        return LongStream.range(0, parts)
                .mapToObj(i -> Arrays.stream(tensors)
                        .map(tensor -> tensor.narrow(0, i * rows / parts, (i + 1) * rows / parts - i * rows / parts))
                        .toArray(Tensor[]::new))
                .toList();
    }

    /** That compute parts side by side. */
    private static int threads(Tensor... part) {
        return part[0].is_cpu() ? Engine.threads() : 1;
    }

    private static Tensor[] with(Tensor[] tensors, Tensor last) {
        Tensor[] all = Arrays.copyOf(tensors, tensors.length + 1);
        all[tensors.length] = last;
        return all;
    }

    private static Tensor joined(TensorVector parts) {
        return parts.size() == 1 ? parts.get(0).detach() : torch.cat(parts, 0);
    }

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
