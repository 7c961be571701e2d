package dev.diva.segment;

import dev.diva.checkpoint.DrawnWeights;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.engine.RandomStreams;
import java.util.Map;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A SAN before training, as its authors' code makes it. The table of CLIP's positions is CLIP's. Scale and shift of the attention biases
 * are uniform within 1: their sign is chance.
 */
final class InitialSan {
    private static final String CLIP_POSITIONS = "vision_model.embeddings.position_embedding.weight";
    private static final double NARROW = 0.02;
    private static final String WEIGHT = ".weight";

    private InitialSan() {}

    /** @param clip with the table of positions as it is stored; the caller's */
    static DrawnWeights of(long seed, TensorSource clip) {
        return new DrawnWeights(
                seed,
                (info, random, asked) -> info.name().equals(SanFile.POSITIONS)
                        ? clip.read(CLIP_POSITIONS).to(ScalarType.Float)
                        : draw(info, random, asked));
    }

    private static Tensor draw(TensorInfo info, Generator random, Map<String, TensorInfo> asked) {
        String name = info.name();
        long[] shape = info.shape();
        if (name.equals(SanFile.BACKGROUND)) {
            return normal(random, 1 / Math.sqrt((double) shape[1]), shape);
        }
        if (name.endsWith("query_embed") || name.endsWith("pos_embed")) {
            return normal(random, NARROW, shape);
        }
        if (name.contains(".fusion_layers.")) {
            return fusion(info, random);
        }
        if (name.contains(".blocks.")) {
            boolean isProduct = shape.length == 2;
            return isProduct ? normal(random, NARROW, shape) : DrawnWeights.full(name.endsWith(WEIGHT) ? 1 : 0, shape);
        }
        return DrawnWeights.uniform(random, DrawnWeights.weightOf(info, asked), shape); // patches, decoder
    }

    /** A layer norm, then a convolution with Caffe2's Xavier initialisation. */
    private static Tensor fusion(TensorInfo info, Generator random) {
        long[] shape = info.shape();
        return shape.length == 4
                ? DrawnWeights.uniform(random, Math.sqrt(3 / DrawnWeights.inputs(info)), shape)
                : DrawnWeights.full(info.name().endsWith("0" + WEIGHT) ? 1 : 0, shape);
    }

    private static Tensor normal(Generator random, double deviation, long... shape) {
        return RandomStreams.randn(random, shape).mul_(new Scalar(deviation));
    }
}
