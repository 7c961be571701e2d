package dev.diva.bench.kernels;

import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Normally distributed weights of whatever shape a layer asks for. */
final class NewWeights implements TensorSource {
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();

    @Override
    public void expect(String name, long... shape) {
        infos.putIfAbsent(name, new TensorInfo(name, Dtype.F32, shape));
    }

    @Override
    public String location() {
        return "new weights";
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
        return torch.randn(infos.get(name).shape());
    }
}
