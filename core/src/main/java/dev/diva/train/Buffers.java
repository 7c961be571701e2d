package dev.diva.train;

import dev.diva.engine.Scopes;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;

/** Named tensors that live from the first update of an optimiser to its close. */
final class Buffers implements AutoCloseable {
    private final Map<String, Tensor> tensors = new TreeMap<>();

    boolean has(String name) {
        return tensors.containsKey(name);
    }

    Tensor get(String name) {
        return tensors.get(name);
    }

    /** Keeps a copy of the value and returns it. */
    Tensor put(String name, Tensor value) {
        Tensor copy = Scopes.keep(value.detach().clone());
        Scopes.release(tensors.put(name, copy));
        return copy;
    }

    Map<String, Tensor> all() {
        return Collections.unmodifiableMap(tensors);
    }

    void restore(Map<String, Tensor> state) {
        close();
        state.forEach(this::put);
    }

    @Override
    public void close() {
        tensors.values().forEach(Scopes::release);
        tensors.clear();
    }
}
