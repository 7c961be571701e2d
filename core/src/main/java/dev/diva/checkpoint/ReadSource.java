package dev.diva.checkpoint;

import java.util.Collection;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * The tensors of another source, each read into memory of its own, which goes with it: pages of a mapped file would stay. Closing this leaves
 * the other open.
 *
 * @param source the other one
 */
public record ReadSource(TensorSource source) implements TensorSource {
    @Override
    public String location() {
        return source.location();
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return source.tensors();
    }

    @Override
    public TensorInfo info(String name) {
        return source.info(name);
    }

    @Override
    public Tensor read(String name) {
        return source.readOnce(name);
    }

    @Override
    public Map<String, String> metadata() {
        return source.metadata();
    }
}
