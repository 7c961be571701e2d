package dev.diva.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.TensorTensorHook;
import org.bytedeco.pytorch.VoidTensorHook;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * An operation with a backward of our own, of which autograd keeps nothing. libtorch lets Java define no autograd function, so the result
 * is computed without a graph and tied to its inputs by adding no rows of them (their sum, where libtorch has no kernel for none); a hook on the result keeps its gradient, and a hook on
 * each input replaces the zeros that arrive there by what the backward computes.
 *
 * <p>What the backward needs is given as {@code saved} and lives until the gradient has passed. A graph is passed once.
 */
public final class OwnGradient {
    /** Hooks that libtorch may still call: it does not keep them alive. */
    private static final Set<OwnGradient> WAITING = ConcurrentHashMap.newKeySet();

    /** What the hook before this one handed to libtorch; by the next call libtorch holds it itself. */
    private static final ThreadLocal<List<Pointer>> HANDED_OVER = ThreadLocal.withInitial(ArrayList::new);

    private final Backward backward;
    private final Tensor[] saved;
    private final List<Pointer> hooks = new ArrayList<>();
    private Tensor outputGradient;
    private Tensor[] gradients;
    private int waiting;

    /** The backward of an operation, run without a graph and in a scope of its own. */
    public interface Backward {
        /**
         * Gradients of the loss.
         *
         * @param outputGradient for the result
         * @param saved what was given to {@link #tie}, in order
         * @return for each input, in order; null where the input needs none
         */
        Tensor[] gradients(Tensor outputGradient, Tensor[] saved);
    }

    private OwnGradient(Backward backward, Tensor... saved) {
        this.backward = backward;
        this.saved = new Tensor[saved.length];
        for (int i = 0; i < saved.length; i++) {
            this.saved[i] = Scopes.keep(saved[i].detach());
        }
    }

    /** Whether autograd would keep a graph for any of these. */
    public static boolean isNeeded(Tensor... inputs) {
        if (!GradMode.is_enabled()) {
            return false;
        }
        for (Tensor input : inputs) {
            if (input.requires_grad()) {
                return true;
            }
        }
        return false;
    }

    /** Which of these need a gradient. */
    static boolean[] needed(Tensor... inputs) {
        boolean[] needed = new boolean[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            needed[i] = inputs[i].requires_grad();
        }
        return needed;
    }

    /**
     * Ties a result to its inputs.
     *
     * @param result computed without a graph, in memory that nothing else is seen through
     * @param inputs what the result depends on
     * @param backward gradients for the inputs
     * @param saved what the backward needs
     * @return the result, in its memory
     */
    public static Tensor tie(Tensor result, Tensor[] inputs, Backward backward, Tensor... saved) {
        OwnGradient node = new OwnGradient(backward, saved);
        WAITING.add(node);
        return Scopes.returning(() -> node.connect(result, inputs));
    }

    /** Computes without a graph. */
    public static Tensor withoutGraph(Supplier<Tensor> computation) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            return Scopes.returning(computation);
        }
    }

    private Tensor connect(Tensor result, Tensor... inputs) {
        // A linear layer of libtorch gives a view, which autograd would refuse.
        Tensor tied = result.is_view() ? result.variable_data() : result;
        Tensor noRows =
                torch.empty(new long[] {0}, result.options().dtype(new ScalarTypeOptional(ScalarType.Long)), null);
        long[] shape = result.shape();
        shape[0] = 0;
        for (int i = 0; i < inputs.length; i++) {
            if (inputs[i].requires_grad()) {
                Tensor edge = inputs[i].view_as(inputs[i]); // a node of our own on the way to the input
                // A copy, since autograd keeps it: a view would keep the memory of the input.
                Tensor none = edge.narrow(0, 0, 0).clone().to(result.scalar_type());
                tied = tied.is_cpu() ? tied.index_add_(0, noRows, none.reshape(shape)) : tied.add_(none.sum());
                edge.register_hook(keep(new Replacing(i)));
                waiting++;
            }
        }
        tied.register_hook(keep(new Keeping()));
        return tied;
    }

    private <T extends Pointer> T keep(T hook) {
        hooks.add(hook);
        return Scopes.keep(hook);
    }

    private final class Keeping extends VoidTensorHook {
        @Override
        public void call(TensorBase gradient) {
            try (PointerScope scope = new PointerScope()) {
                outputGradient = Scopes.keep(new Tensor(gradient).detach());
            }
            gradient.deallocate(); // Java's own reference
        }
    }

    private final class Replacing extends TensorTensorHook {
        private final int input;

        Replacing(int input) {
            this.input = input;
        }

        @Override
        public TensorBase call(TensorBase zeros) {
            zeros.deallocate(); // Java's own reference
            List<Pointer> handedOver = HANDED_OVER.get();
            handedOver.forEach(Pointer::releaseReference);
            handedOver.clear();
            if (gradients == null) {
                compute();
            }
            Tensor gradient = gradients[input];
            handedOver.add(gradient);
            if (--waiting == 0) {
                handedOver.addAll(hooks); // this one among them: it still runs
                WAITING.remove(OwnGradient.this);
            }
            return gradient;
        }
    }

    private void compute() {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            gradients = backward.gradients(outputGradient, saved);
            for (Tensor gradient : gradients) {
                if (gradient != null) {
                    Scopes.keep(gradient);
                }
            }
        }
        Scopes.release(outputGradient);
        for (Tensor tensor : saved) {
            Scopes.release(tensor);
        }
    }
}
