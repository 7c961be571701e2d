package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.layer.SinusoidalEmbedding;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * How Stable unCLIP tells its UNet of an image: the embedding, normalised, noised at a level of its own and brought back, followed by
 * cosines and sines of the level. Read from {@code image_normalizer} and {@code image_noising_scheduler}. Immutable, owns no native memory.
 */
public final class UnclipEmbedding {
    private static final String NORMALIZER = "image_normalizer";
    private static final String SCHEDULER = "image_noising_scheduler";

    private final float[] mean;
    private final float[] std;
    private final NoiseSchedule schedule;
    private final SinusoidalEmbedding waves;

    private UnclipEmbedding(float[] mean, float[] std, NoiseSchedule schedule) {
        this.mean = mean;
        this.std = std;
        this.schedule = schedule;
        this.waves = new SinusoidalEmbedding(mean.length, true, 0);
    }

    /** @param classDim width of what the UNet takes */
    static UnclipEmbedding read(ModelFolder folder, long classDim) {
        String why = "a UNet with class_embed_type projection is told of an image through it";
        ConfigJson json = folder.config(NORMALIZER, "config.json", why);
        long dim = json.number("embedding_dim", 768);
        if (2 * dim != classDim) {
            throw new BadInputException(
                    folder.folder() + ": unet/config.json has projection_class_embeddings_input_dim "
                            + classDim + ", image_normalizer/config.json embedding_dim " + dim
                            + ", of which the former is twice: not parts of one model");
        }
        folder.understand(json, "embedding_dim"::equals);
        NoiseSchedule schedule = folder.schedule(SCHEDULER, why);
        TensorSource source = folder.weights(NORMALIZER, "mean", "diffusion_pytorch_model");
        try (PointerScope scope = new PointerScope();
                Weights weights = Weights.frozen(source, Placement.cpu(Precision.FP32))) {
            Tensor mean = weights.vector("mean", 1, dim);
            Tensor std = weights.vector("std", 1, dim);
            weights.finish();
            return new UnclipEmbedding(Tensors.toFloats(mean), Tensors.toFloats(std), schedule);
        }
    }

    /** Width of the image embeddings. */
    public long embeddingDim() {
        return mean.length;
    }

    /** Noise levels are 0 to this, exclusive. */
    public int numLevels() {
        return schedule.numTrainTimesteps();
    }

    /**
     * What the UNet takes as class embeddings. Level 0 without noise is almost, not quite, the embedding itself: it is shrunk by
     * sqrt(abar_0).
     *
     * @param embeddings of images, not divided by their norm, [batch, embeddingDim]; gradients flow through
     * @param levels int64 [batch]
     * @param noise standard normal, or zeros, [batch, embeddingDim]
     * @return fp32 [batch, 2 * embeddingDim], owned by the caller's scope
     */
    public Tensor vector(Tensor embeddings, Tensor levels, Tensor noise) {
        return Scopes.returning(() -> {
            Tensor x = embeddings.to(ScalarType.Float);
            Tensor center = Tensors.onto(Tensors.of(mean, 1, mean.length), x.device(), ScalarType.Float);
            Tensor spread = Tensors.onto(Tensors.of(std, 1, std.length), x.device(), ScalarType.Float);
            Tensor normal = x.sub(center).div(spread);
            Tensor noised = schedule.addNoise(normal, noise, levels).mul(spread).add(center);
            return torch.cat(
                    new TensorVector(noised, waves.forward(Tensors.onto(levels, x.device(), ScalarType.Long))), 1);
        });
    }
}
