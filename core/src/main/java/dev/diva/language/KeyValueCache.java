package dev.diva.language;

import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * Keys and values of the positions that a decoder has seen, layer by layer. A sequence that begins like the last one starts from {@link
 * #rewind}: what they share is not computed again. Grows as it is filled. Lives until {@link #close}.
 */
public final class KeyValueCache implements AutoCloseable {
    private static final int STEP = 256;

    private final LlamaConfig config;
    private final Placement placement;
    private final List<Tensor> keys = new ArrayList<>(); // of each layer [1, keyValueHeads, capacity, headDim]
    private final List<Tensor> values = new ArrayList<>();
    private int capacity;
    private int length;

    public KeyValueCache(LlamaConfig config, Placement placement) {
        this.config = config;
        this.placement = placement;
    }

    /** Positions that are remembered. */
    public int length() {
        return length;
    }

    /** Forgets all positions from one on. */
    public void rewind(int positions) {
        if (positions < 0 || positions > length) {
            throw new IllegalArgumentException("rewind to " + positions + " of " + length + " positions");
        }
        length = positions;
    }

    /** Room for so many more positions. */
    void reserve(long count) {
        long needed = length + count;
        if (needed > config.maxPositions()) {
            throw new IllegalArgumentException(
                    needed + " positions, the model has been trained for " + config.maxPositions());
        }
        if (needed > capacity) {
            int larger = (int) Math.min(config.maxPositions(), (needed + STEP - 1) / STEP * STEP);
            grow(keys, larger);
            grow(values, larger);
            capacity = larger;
        }
    }

    private void grow(List<Tensor> layers, int larger) {
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            try (PointerScope scope = new PointerScope()) {
                TensorOptions options =
                        new TensorOptions(placement.precision().dtype()).device(new DeviceOptional(placement.device()));
                Tensor room = Scopes.keep(torch.empty(
                        new long[] {1, config.numKeyValueHeads(), larger, config.headDim()}, options, null));
                if (layers.size() == i) {
                    layers.add(room);
                } else {
                    Tensor old = layers.set(i, room);
                    room.narrow(2, 0, length).copy_(old.narrow(2, 0, length));
                    Scopes.release(old);
                }
            }
        }
    }

    /** Stores keys of a layer behind those remembered and gives all: [1, keyValueHeads, positions, headDim], a view. */
    Tensor keys(int layer, Tensor next) {
        return append(keys.get(layer), next);
    }

    /** The same for values. */
    Tensor values(int layer, Tensor next) {
        return append(values.get(layer), next);
    }

    private Tensor append(Tensor all, Tensor next) {
        return Scopes.returning(() -> {
            all.narrow(2, length, next.size(2)).copy_(next);
            return all.narrow(2, 0, length + next.size(2));
        });
    }

    /** Remembers positions that every layer has stored. */
    void advance(long count) {
        length += Math.toIntExact(count);
    }

    @Override
    public void close() {
        keys.forEach(Scopes::release);
        values.forEach(Scopes::release);
        keys.clear();
        values.clear();
        capacity = 0;
        length = 0;
    }
}
