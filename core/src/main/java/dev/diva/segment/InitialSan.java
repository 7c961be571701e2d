package dev.diva.segment;

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
 * A SAN before training, as its authors' code makes it; the values follow from (seed, name). The table of CLIP's positions is CLIP's. Scale
 * and shift of the attention biases are uniform within 1: their sign is chance.
 */
final class InitialSan implements TensorSource {
    private static final double NARROW = 0.02;
    private static final String BIAS = ".bias";
    private static final String WEIGHT = ".weight";

    private final long seed;
    private final Tensor positions;
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();

    /** @param positions CLIP's table; the caller's */
    InitialSan(long seed, Tensor positions) {
        this.seed = seed;
        this.positions = positions;
    }

    @Override
    public void expect(String name, long... shape) {
        infos.putIfAbsent(name, new TensorInfo(name, Dtype.F32, shape));
    }

    @Override
    public String location() {
        return "new SAN of seed " + seed;
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
        if (name.equals(SanFile.POSITIONS)) {
            return positions.detach();
        }
        if (name.equals(SanFile.BACKGROUND)) {
            return normal(name, 1 / Math.sqrt((double) shape[1]), shape);
        }
        if (name.endsWith("query_embed") || name.endsWith("pos_embed")) {
            return normal(name, NARROW, shape);
        }
        if (name.contains(".fusion_layers.")) {
            return fusion(name, shape);
        }
        if (name.contains(".blocks.")) {
            boolean isProduct = shape.length == 2;
            return isProduct ? normal(name, NARROW, shape) : full(name.endsWith(WEIGHT) ? 1 : 0, shape);
        }
        return uniform(name, 1 / Math.sqrt(inputs(name)), shape); // patches, decoder: as torch makes layers
    }

    /** A layer norm, then a convolution with Caffe2's Xavier initialisation. */
    private Tensor fusion(String name, long... shape) {
        if (shape.length == 4) {
            return uniform(name, Math.sqrt(3 / inputs(name)), shape);
        }
        return full(name.endsWith("0" + WEIGHT) ? 1 : 0, shape);
    }

    /** Of the layer that a tensor belongs to, whose weight was asked for before its bias. */
    private double inputs(String name) {
        String weight = name.endsWith(BIAS) ? name.substring(0, name.length() - BIAS.length()) + WEIGHT : name;
        long[] shape = infos.get(weight).shape();
        double inputs = 1;
        for (int axis = 1; axis < shape.length; axis++) {
            inputs *= shape[axis];
        }
        return inputs;
    }

    private Tensor normal(String name, double deviation, long... shape) {
        return RandomStreams.randn(generator(name), shape).mul_(new Scalar(deviation));
    }

    private Tensor uniform(String name, double bound, long... shape) {
        return RandomStreams.rand(generator(name), shape)
                .mul_(new Scalar(2 * bound))
                .sub_(new Scalar(bound));
    }

    private Generator generator(String name) {
        return new RandomStreams(seed).stream(name);
    }

    private static Tensor full(double value, long... shape) {
        return torch.full(shape, new Scalar(value), new TensorOptions(ScalarType.Float));
    }
}
