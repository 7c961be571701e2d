package dev.diva.world.pretrain;

import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.engine.RandomStreams;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Weights before training: whatever a model asks for exists, with values that follow from (seed, name). Norms start at 1, biases at 0,
 * embeddings at a normal distribution of 0.02, all else uniform within 1 / sqrt(inputs), as PyTorch's layers do.
 */
public final class InitialWeights implements TensorSource {
    private static final double EMBEDDING = 0.02;

    private final long seed;
    private final Map<String, Double> constants;
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();

    /** @param constants tensors that start at a value of their own, by full name */
    public InitialWeights(long seed, Map<String, Double> constants) {
        this.seed = seed;
        this.constants = Map.copyOf(constants);
    }

    @Override
    public void expect(String name, long... shape) {
        infos.putIfAbsent(name, new TensorInfo(name, Dtype.F32, shape));
    }

    @Override
    public String location() {
        return "initial weights of seed " + seed;
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
        if (constants.containsKey(name)) {
            return full(constants.get(name), shape);
        }
        var random = new RandomStreams(seed).stream(name);
        if (name.endsWith("class_embedding")
                || name.endsWith("token_embedding.weight")
                || name.endsWith("position_embedding.weight")) {
            return RandomStreams.randn(random, shape).mul_(new Scalar(EMBEDDING));
        }
        if (shape.length < 2) {
            return full(name.endsWith(".weight") ? 1.0 : 0.0, shape);
        }
        long inputs = 1;
        for (int axis = 1; axis < shape.length; axis++) {
            inputs *= shape[axis];
        }
        double bound = 1 / Math.sqrt((double) inputs);
        return RandomStreams.rand(random, shape).mul_(new Scalar(2 * bound)).sub_(new Scalar(bound));
    }

    private static Tensor full(double value, long... shape) {
        return torch.full(shape, new Scalar(value), new TensorOptions(ScalarType.Float));
    }
}
