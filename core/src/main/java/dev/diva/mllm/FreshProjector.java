package dev.diva.mllm;

import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.engine.RandomStreams;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** A projector before stage 1: weights and biases uniform within 1 / sqrt(inputs), as PyTorch's linear layers begin. */
final class FreshProjector implements TensorSource {
    private final long seed;
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();
    private final Map<String, Long> inputs = new LinkedHashMap<>();

    FreshProjector(long visionWidth, long width, long seed) {
        this.seed = seed;
        add("0", visionWidth, width);
        add("2", width, width);
    }

    private void add(String layer, long in, long out) {
        String name = LlavaNames.PROJECTOR + layer;
        infos.put(name + ".weight", new TensorInfo(name + ".weight", Dtype.F32, out, in));
        infos.put(name + ".bias", new TensorInfo(name + ".bias", Dtype.F32, out));
        inputs.put(name + ".weight", in);
        inputs.put(name + ".bias", in);
    }

    @Override
    public String location() {
        return "new projector";
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
        double bound = 1 / Math.sqrt((double) inputs.get(name));
        return RandomStreams.rand(
                        new RandomStreams(seed).stream(name), infos.get(name).shape())
                .mul_(new Scalar(2 * bound))
                .sub_(new Scalar(bound));
    }
}
