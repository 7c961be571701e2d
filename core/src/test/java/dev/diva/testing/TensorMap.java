package dev.diva.testing;

import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Tensors in memory as a source. */
public record TensorMap(Map<String, Tensor> values) implements TensorSource {
    /** Those of a source under a prefix, without it. */
    public static TensorMap under(String prefix, TensorSource source) {
        Map<String, Tensor> values = new LinkedHashMap<>();
        for (TensorInfo info : source.tensors()) {
            if (info.name().startsWith(prefix)) {
                values.put(info.name().substring(prefix.length()), source.read(info.name()));
            }
        }
        return new TensorMap(values);
    }

    @Override
    public String location() {
        return "memory";
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return values.keySet().stream().map(this::info).toList();
    }

    @Override
    public TensorInfo info(String name) {
        Tensor value = values.get(name);
        return value == null ? null : new TensorInfo(name, Dtype.of(value.scalar_type()), value.shape());
    }

    @Override
    public Tensor read(String name) {
        return values.get(name).alias();
    }
}
