package dev.diva.engine;

import java.util.function.Supplier;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Lifetimes of native tensors. A tensor belongs to the innermost {@link PointerScope} of the thread that made it and is freed when
 * that scope closes; no path waits for the garbage collector. What outlives its scope says so with one of these methods.
 */
public final class Scopes {
    private Scopes() {}

    /**
     * Computes in a scope of its own; of all tensors made there only the result lives on, in the caller's scope.
     *
     * @return the result, owned by the caller's innermost scope (or by the caller alone when it has none)
     */
    public static Tensor returning(Supplier<Tensor> computation) {
        PointerScope outer = PointerScope.getInnerScope();
        try (PointerScope inner = new PointerScope()) {
            Tensor result = computation.get();
            if (outer != null) {
                outer.attach(result);
            } else {
                result.retainReference();
            }
            return result;
        }
    }

    /**
     * Takes a tensor, or what else is native, out of every scope: it lives until {@link #release}. For weights, optimiser state and
     * whatever else outlives a step.
     */
    public static <T extends Pointer> T keep(T pointer) {
        pointer.retainReference();
        return pointer;
    }

    /** Gives a tensor that {@link #keep} took out of its scope, of another thread for instance, to the caller's innermost one, if any. */
    static Tensor adopt(Tensor kept) {
        PointerScope scope = PointerScope.getInnerScope();
        if (scope != null) {
            scope.attach(kept);
            release(kept);
        }
        return kept;
    }

    /** Frees a tensor that {@link #keep} took out of its scope. */
    public static void release(Tensor tensor) {
        if (tensor != null && !tensor.isNull()) {
            tensor.releaseReference();
        }
    }
}
