package dev.diva.checkpoint.format;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** The tensors of a larger file whose names begin with a prefix, without it. */
final class PrefixedSource implements TensorSource {
    private final TensorSource whole;
    private final String prefix;
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();

    PrefixedSource(TensorSource whole, String prefix) {
        this.whole = whole;
        this.prefix = prefix;
        for (TensorInfo info : whole.tensors()) {
            if (info.name().startsWith(prefix)) {
                String name = info.name().substring(prefix.length());
                infos.put(name, new TensorInfo(name, info.dtype(), info.shape()));
            }
        }
    }

    @Override
    public String location() {
        return whole.location();
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return Collections.unmodifiableCollection(infos.values());
    }

    @Override
    public TensorInfo info(String name) {
        return infos.get(name);
    }

    @Override
    public Tensor read(String name) {
        return whole.read(known(name));
    }

    @Override
    public Tensor readOnce(String name) {
        return whole.readOnce(known(name));
    }

    private String known(String name) {
        if (!infos.containsKey(name)) {
            throw new CheckpointException(location() + ": has no tensor " + name);
        }
        return prefix + name;
    }

    @Override
    public Map<String, String> metadata() {
        return whole.metadata();
    }

    @Override
    public void close() {
        whole.close();
    }
}
