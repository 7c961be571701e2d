package dev.diva.world.pretrain;

import dev.diva.checkpoint.DrawnWeights;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.engine.RandomStreams;
import java.util.Map;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Weights of the small models before training: norms start at 1, biases at 0, embeddings at a normal distribution of 0.02, all else uniform
 * within 1 / sqrt(inputs), as PyTorch's layers do. What modulates the blocks of a DiT and what it ends with start at 0: each block changes
 * nothing at first.
 */
public final class InitialWeights {
    private static final double EMBEDDING = 0.02;

    private InitialWeights() {}

    /**
     * A source of any tensor that is asked for.
     *
     * @param constants tensors that start at a value of their own, by full name
     */
    public static DrawnWeights of(long seed, Map<String, Double> constants) {
        return new DrawnWeights(seed, (info, random, asked) -> draw(info, random, constants));
    }

    private static Tensor draw(TensorInfo info, Generator random, Map<String, Double> constants) {
        String name = info.name();
        long[] shape = info.shape();
        if (constants.containsKey(name)) {
            return DrawnWeights.full(constants.get(name), shape);
        }
        if (name.contains(".norm1.linear.") || name.contains("transformer.proj_out_")) {
            return DrawnWeights.full(0, shape);
        }
        if (name.endsWith("class_embedding")
                || name.endsWith("token_embedding.weight")
                || name.endsWith("position_embedding.weight")) {
            return RandomStreams.randn(random, shape).mul_(new Scalar(EMBEDDING));
        }
        if (shape.length < 2) {
            return DrawnWeights.full(name.endsWith(".weight") ? 1.0 : 0.0, shape);
        }
        return DrawnWeights.uniform(random, info, shape);
    }
}
