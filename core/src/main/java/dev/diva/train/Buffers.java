package dev.diva.train;

import dev.diva.engine.Scopes;
import dev.diva.engine.SharedMemory;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;

/** Named tensors that live from the first update of an optimiser to its close; those of a machine's processes may be shared. */
final class Buffers implements AutoCloseable {
    private final SharedMemory memory;
    private final Map<String, Tensor> tensors = new TreeMap<>();

    Buffers(SharedMemory memory) {
        this.memory = memory;
    }

    /**
     * Zeros for each parameter with a gradient that has none yet; what was restored moves to where its parameter is. All at once: made between gradients that are freed one after the other,
     * they would leave the memory of those in pieces.
     *
     * @param suffix of their names
     */
    void add(Map<String, Tensor> parameters, String suffix) {
        parameters.forEach((name, parameter) -> {
            Tensor known = tensors.get(name + suffix);
            if (parameter.grad().defined() && known == null) {
                tensors.put(name + suffix, memory.like(parameter));
            } else if (known != null && known.is_cpu() && !parameter.is_cpu()) {
                tensors.put(name + suffix, Scopes.keep(known.to(parameter.device(), known.scalar_type())));
                Scopes.release(known);
            }
        });
    }

    /** What of a tensor this process updates. */
    Tensor own(String name) {
        return memory.own(tensors.get(name));
    }

    Map<String, Tensor> all() {
        return Collections.unmodifiableMap(tensors);
    }

    void restore(Map<String, Tensor> state) {
        close();
        state.forEach((name, value) -> {
            tensors.put(name, memory.like(value));
            own(name).copy_(memory.own(value));
        });
    }

    @Override
    public void close() {
        tensors.values().forEach(Scopes::release);
        tensors.clear();
    }
}
