package dev.diva.bench.truesize;

import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.engine.RandomStreams;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Random values at scales that keep activations finite at any depth: matrices and convolutions N(0, 1 / fan-in), norms around 1,
 * biases around 0.
 */
final class RandomWeights {
    private static final double SMALL = 0.02;

    private RandomWeights() {}

    /** Writes one safetensors file, a tensor at a time; the values follow from the seed and the names alone. */
    static void write(Path file, Collection<TensorInfo> infos, long seed) {
        RandomStreams streams = new RandomStreams(seed);
        Generator generator = streams.stream(file.getParent().getFileName() + "/" + file.getFileName());
        SafetensorsWriter.write(
                file, infos, info -> value(info, generator).to(info.dtype().scalarType()), Map.of("format", "pt"));
    }

    private static Tensor value(TensorInfo info, Generator generator) {
        long[] shape = info.shape();
        if (shape.length == 0) {
            return torch.full(shape, new Scalar(Math.log(100))); // logit_scale, where training ends up
        }
        Tensor normal = RandomStreams.randn(generator, shape);
        if (shape.length > 1) {
            long fanIn = info.numel() / shape[0];
            return normal.mul_(new Scalar(1 / Math.sqrt((double) fanIn)));
        }
        boolean isScale = info.name().endsWith(".weight");
        return normal.mul_(new Scalar(SMALL)).add_(new Scalar(isScale ? 1.0 : 0.0));
    }
}
