package dev.diva.checkpoint;

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

/** Weights before training: whatever a model asks for exists, in fp32, with values that follow from (seed, name). */
public final class DrawnWeights implements TensorSource {
    private final long seed;
    private final Rule rule;
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();

    /** How a tensor begins. */
    @FunctionalInterface
    public interface Rule {
        /**
         * Its values.
         *
         * @param random of this tensor alone
         * @param asked every tensor that the model has asked for
         */
        Tensor draw(TensorInfo info, Generator random, Map<String, TensorInfo> asked);
    }

    public DrawnWeights(long seed, Rule rule) {
        this.seed = seed;
        this.rule = rule;
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
        return rule.draw(infos.get(name), new RandomStreams(seed).stream(name), infos);
    }

    /** Uniform within 1 / sqrt(inputs of the weight), as torch's layers begin. */
    public static Tensor uniform(Generator random, TensorInfo weight, long... shape) {
        return uniform(random, 1 / Math.sqrt(inputs(weight)), shape);
    }

    /** The inputs of a weight: all its axes but the first. */
    public static double inputs(TensorInfo weight) {
        long inputs = 1;
        for (int axis = 1; axis < weight.shape().length; axis++) {
            inputs *= weight.shape()[axis];
        }
        return inputs;
    }

    /** The weight of the layer that a tensor belongs to: itself, or that of a bias. */
    public static TensorInfo weightOf(TensorInfo tensor, Map<String, TensorInfo> asked) {
        return asked.get(tensor.name().replaceFirst("\\.bias$", ".weight"));
    }

    /** Uniform between a bound and its negative. */
    public static Tensor uniform(Generator random, double bound, long... shape) {
        return RandomStreams.rand(random, shape).mul_(new Scalar(2 * bound)).sub_(new Scalar(bound));
    }

    /** One value everywhere. */
    public static Tensor full(double value, long... shape) {
        return torch.full(shape, new Scalar(value), new TensorOptions(ScalarType.Float));
    }
}
