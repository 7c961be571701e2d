package dev.diva.engine;

import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A primitive of oneDNN, ready for tensors of certain types, shapes and strides: setting one up takes as long as a small product. A thread
 * keeps those that it used last, and shares none, since a primitive is made for a number of threads and writes to memory of the thread that
 * made it.
 */
final class Prepared {
    /**
     * Primitives that a thread keeps, each with up to a megabyte of instructions where it multiplies tiles: a step of DCR has some 200, texts
     * of all lengths have more.
     */
    static final int MOST = 256;

    /** Where there is no primitive that is worth it. */
    static final Prepared NONE = new Prepared(null);

    /** Numbers of a key, of which each tensor takes two and two more for each axis. */
    private static final int LONGEST_KEY = 192;

    private static final ThreadLocal<Map<LongBuffer, Prepared>> OF_THREAD = ThreadLocal.withInitial(LastUsed::new);

    private final primitive kernel;
    private final IntMemoryMap arguments = Scopes.keep(new IntMemoryMap());
    private final List<memory> places = new ArrayList<>();
    private long scratchpadBytes;

    /** Without arguments yet. */
    Prepared(primitive kernel) {
        this.kernel = kernel == null ? null : Scopes.keep(kernel);
    }

    /** The next tensor of {@link #run}, as one argument or, in the same memory, as several. */
    Prepared with(memory.desc layout, int... argumentNumbers) {
        memory place = Scopes.keep(new memory(layout, OneDnn.CPU, (Pointer) null));
        places.add(place);
        for (int argument : argumentNumbers) {
            arguments.put(argument, place);
        }
        return this;
    }

    /** For primitives whose memory for a moment is that of {@link #withScratchpad}: oneDNN's own would stay as long as the primitive. */
    static primitive_attr attributes() {
        primitive_attr attributes = new primitive_attr();
        attributes.set_scratchpad_mode(dnnl.scratchpad_mode.user);
        return attributes;
    }

    /** With the memory that a primitive of such {@link #attributes} asks for, after all other arguments. */
    Prepared withScratchpad(memory.desc layout) {
        scratchpadBytes = layout.get_size();
        return scratchpadBytes == 0 ? this : with(layout, dnnl.DNNL_ARG_SCRATCHPAD);
    }

    /**
     * The primitive of this thread for a key, set up where it has none.
     *
     * @param key of {@link #key}, with all that makes the primitive what it is
     */
    static Prepared of(LongBuffer key, Supplier<Prepared> setUp) {
        Map<LongBuffer, Prepared> known = OF_THREAD.get();
        key.flip();
        Prepared prepared = known.get(key);
        if (prepared == null) {
            try (PointerScope scope = new PointerScope()) {
                prepared = setUp.get();
            }
            known.put(key, prepared);
        }
        return prepared;
    }

    /**
     * A key that begins with the kind of primitive and the number of threads.
     *
     * @param kind as {@code dnnl.dnnl_matmul}
     */
    static LongBuffer key(int kind) {
        return LongBuffer.allocate(LONGEST_KEY).put(kind).put(torch.get_num_threads());
    }

    /** Adds type, shape and strides to a key. */
    static void add(LongBuffer key, Tensor tensor) {
        int axes = Math.toIntExact(tensor.dim());
        key.put(tensor.scalar_type().value).put(axes);
        for (int i = 0; i < axes; i++) {
            key.put(tensor.size(i)).put(tensor.stride(i));
        }
    }

    /** Computes, from and into tensors in the order of {@link #with}. */
    void run(Tensor... tensors) {
        for (int i = 0; i < tensors.length; i++) {
            places.get(i).set_data_handle(tensors[i].data_ptr());
        }
        if (scratchpadBytes == 0) {
            execute();
            return;
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor scratchpad = torch.empty(new long[] {scratchpadBytes}, new TensorOptions(ScalarType.Byte), null);
            places.get(tensors.length).set_data_handle(scratchpad.data_ptr());
            execute();
        }
    }

    private void execute() {
        kernel.execute(OneDnn.STREAM, arguments);
        OneDnn.STREAM._wait();
    }

    private void release() {
        if (this == NONE) {
            return;
        }
        places.forEach(memory::releaseReference);
        arguments.releaseReference();
        kernel.releaseReference();
    }

    private static final class LastUsed extends LinkedHashMap<LongBuffer, Prepared> {
        private static final long serialVersionUID = 1;

        LastUsed() {
            super(MOST, 1, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<LongBuffer, Prepared> eldest) {
            boolean isFull = size() > MOST;
            if (isFull) {
                eldest.getValue().release();
            }
            return isFull;
        }
    }
}
