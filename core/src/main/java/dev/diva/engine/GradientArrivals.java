package dev.diva.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.VoidTensorHook;

/**
 * Tells of each parameter when a backward pass has added its gradient. libtorch calls before it adds one; so the gradient of a parameter is
 * there when that of the next arrives, and the last one's after the pass.
 */
public final class GradientArrivals implements AutoCloseable {
    private final List<Tensor> parameters;
    private final IntConsumer added;
    private final List<Arrival> hooks = new ArrayList<>();
    private int last = -1; // index of the parameter whose gradient is being added

    /** @param added given the index of a parameter, on the thread of the backward pass */
    public GradientArrivals(List<Tensor> parameters, IntConsumer added) {
        this.parameters = List.copyOf(parameters);
        this.added = added;
        for (int i = 0; i < parameters.size(); i++) {
            Arrival hook = Scopes.keep(new Arrival(i));
            hook.number = parameters.get(i).register_hook(hook);
            hooks.add(hook);
        }
    }

    /** To be called after a backward pass. */
    public void finish() {
        next(-1);
    }

    private void next(int index) {
        int before = last;
        last = index;
        if (before >= 0) {
            added.accept(before);
        }
    }

    private final class Arrival extends VoidTensorHook {
        private final int index;
        private int number;

        Arrival(int index) {
            this.index = index;
        }

        @Override
        public void call(TensorBase gradient) {
            gradient.deallocate(); // Java's own reference
            next(index);
        }
    }

    @Override
    public void close() {
        for (int i = 0; i < hooks.size(); i++) {
            parameters.get(i).remove_hook(hooks.get(i).number);
            hooks.get(i).releaseReference();
        }
        hooks.clear();
    }
}
