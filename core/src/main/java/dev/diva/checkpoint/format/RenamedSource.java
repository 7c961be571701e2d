package dev.diva.checkpoint.format;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Tensors under their names with a prefix before them. */
final class RenamedSource implements TensorSource {
    private final TensorSource stored;
    private final String prefix;
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();

    RenamedSource(TensorSource stored, String prefix) {
        this.stored = stored;
        this.prefix = prefix;
        for (TensorInfo info : stored.tensors()) {
            infos.put(prefix + info.name(), new TensorInfo(prefix + info.name(), info.dtype(), info.shape()));
        }
    }

    @Override
    public String location() {
        return stored.location();
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
        return stored.read(bare(name));
    }

    @Override
    public Tensor readOnce(String name) {
        return stored.readOnce(bare(name));
    }

    private String bare(String name) {
        if (!infos.containsKey(name)) {
            throw new CheckpointException(location() + ": has no tensor " + name);
        }
        return name.substring(prefix.length());
    }

    @Override
    public Map<String, String> metadata() {
        return stored.metadata();
    }

    @Override
    public void close() {
        stored.close();
    }
}
