package dev.diva.clip;

import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.LowRank;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** A checkpoint in fp32 with the trained tensors in place of the stored ones and adapters merged into their matrices. */
final class TrainedSource implements TensorSource {
    private final TensorSource stored;
    private final Map<String, Tensor> masters;
    private final Map<String, LowRank> adapters;
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();

    TrainedSource(TensorSource stored, Weights weights) {
        this.stored = stored;
        this.masters = weights.parameters();
        this.adapters = weights.adapters();
        for (TensorInfo info : stored.tensors()) {
            Dtype dtype = info.dtype().isFloating() ? Dtype.F32 : info.dtype();
            infos.put(info.name(), new TensorInfo(info.name(), dtype, info.shape()));
        }
    }

    @Override
    public String location() {
        return stored.location();
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
            try (NoGradGuard noGrad = new NoGradGuard()) {
                Tensor master = masters.get(name);
                Tensor value =
                        master == null ? stored.readOnce(name) : master.detach().cpu();
                Tensor converted = value.to(infos.get(name).dtype().scalarType());
                LowRank adapter = name.endsWith(".weight")
                        ? adapters.get(name.substring(0, name.length() - ".weight".length()))
                        : null;
                return adapter == null
                        ? converted
                        : converted.add(adapter.delta().cpu());
            }
        });
    }

    @Override
    public Map<String, String> metadata() {
        return stored.metadata();
    }
}
