package dev.diva.diffusion.flux;

import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.engine.RandomStreams;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A denoiser before training: every linear layer as torch makes it, weight and bias uniform within 1 / sqrt(inputs), scales of norms 1;
 * the values follow from (seed, name). Nothing begins at zero, unlike in most diffusion transformers.
 */
final class InitialFlux implements TensorSource {
    private static final String BIAS = ".bias";

    private final long seed;
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();

    InitialFlux(long seed) {
        this.seed = seed;
    }

    @Override
    public void expect(String name, long... shape) {
        infos.putIfAbsent(name, new TensorInfo(name, Dtype.F32, shape));
    }

    @Override
    public String location() {
        return "initial denoiser of seed " + seed;
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
        long[] shape = infos.get(name).shape();
        if (name.endsWith(".scale")) {
            return torch.ones(shape, new TensorOptions(ScalarType.Float));
        }
        String weight = name.endsWith(BIAS)
                ? name.substring(0, name.length() - BIAS.length()) + ".weight" // which was asked for before
                : name;
        double bound = 1 / Math.sqrt((double) infos.get(weight).shape()[1]);
        Generator generator = new RandomStreams(seed).stream(name);
        return RandomStreams.rand(generator, shape).mul_(new Scalar(2 * bound)).sub_(new Scalar(bound));
    }
}
