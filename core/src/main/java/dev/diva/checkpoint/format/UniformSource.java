package dev.diva.checkpoint.format;

import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.engine.Scopes;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.Tensor;

/**
 * A checkpoint of mixed precision with all real numbers in fp32, so that no value changes. OpenAI's archives hold fp16 matrices and fp32
 * norms; transformers would keep each as it is, whatever type it is asked for, and compute in a mixture.
 */
public final class UniformSource implements TensorSource {
    private final TensorSource mixed;
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();

    private UniformSource(TensorSource mixed) {
        this.mixed = mixed;
        for (TensorInfo info : mixed.tensors()) {
            infos.put(
                    info.name(),
                    info.dtype().isFloating() ? new TensorInfo(info.name(), Dtype.F32, info.shape()) : info);
        }
    }

    /** The source itself when its real numbers are of one type already. */
    public static TensorSource of(TensorSource source) {
        Set<Dtype> types = source.tensors().stream()
                .map(TensorInfo::dtype)
                .filter(Dtype::isFloating)
                .collect(Collectors.toSet());
        boolean single = types.size() <= 1
                || types.stream().max(Comparator.comparingInt(Dtype::bytes)).orElseThrow() == Dtype.F64;
        return single ? source : new UniformSource(source);
    }

    @Override
    public String location() {
        return mixed.location();
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return infos.values();
    }

    @Override
    public TensorInfo info(String name) {
        return infos.get(name);
    }

    @Override
    public Tensor read(String name) {
        return Scopes.returning(() -> {
            Tensor stored = mixed.read(name);
            return infos.get(name).dtype() == mixed.info(name).dtype() ? stored : stored.to(Dtype.F32.scalarType());
        });
    }

    @Override
    public Map<String, String> metadata() {
        return mixed.metadata();
    }

    @Override
    public void close() {
        mixed.close();
    }
}
