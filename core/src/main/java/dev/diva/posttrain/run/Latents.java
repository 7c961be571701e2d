package dev.diva.posttrain.run;

import dev.diva.checkpoint.TensorCache;
import dev.diva.diffusion.Autoencoder;
import dev.diva.engine.Engine;
import dev.diva.engine.InterOp;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Clean latents of crops, from the cache or the autoencoder. One image at a time: the activations of a whole batch would be the peak of
 * the run's memory, and a latent has the same bits whether it was cached or not.
 */
final class Latents {
    private final Autoencoder autoencoder;
    private final TensorCache cache; // or null
    private final int resolution;

    Latents(Autoencoder autoencoder, TensorCache cache, int resolution) {
        this.autoencoder = autoencoder;
        this.cache = cache;
        this.resolution = resolution;
    }

    /**
     * [samples, channels, height, width], fp32, where the autoencoder is, owned by the caller's scope. Without a cache threads of a processor
     * have some images each.
     */
    Tensor of(List<TrainingSample> samples) {
        return Scopes.returning(() -> {
            IntFunction<Tensor> latentOf =
                    i -> Tensors.onto(of(samples.get(i)), autoencoder.device(), ScalarType.Float);
            boolean areShared = cache == null && !Engine.isCuda(autoencoder.device());
            List<Tensor> latents = areShared
                    ? InterOp.compute(samples.size(), latentOf)
                    : IntStream.range(0, samples.size()).mapToObj(latentOf).toList();
            return torch.stack(new TensorVector(latents.toArray(Tensor[]::new)));
        });
    }

    private Tensor of(TrainingSample sample) {
        if (cache == null) {
            return encode(sample.autoencoderPixels(), sample.posterior());
        }
        Tensor known = cache.get(sample.key());
        if (known != null) {
            return known;
        }
        Tensor latent = encode(sample.autoencoderPixels(), null);
        cache.put(sample.key(), latent);
        return latent;
    }

    /** Makes the latent of a sample if it is not there. */
    void ensure(TrainingSample sample) {
        try (PointerScope scope = new PointerScope()) {
            of(sample);
        }
    }

    /** @param posterior seed of the noise, or null for the mean */
    private Tensor encode(float[] pixels, Long posterior) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            return Scopes.returning(() -> {
                Tensor image = Tensors.of(pixels, 1, 3, resolution, resolution);
                Tensor latent =
                        posterior == null ? autoencoder.encode(image) : autoencoder.encode(image, noise(posterior));
                return latent.squeeze(0);
            });
        }
    }

    private Tensor noise(long seed) {
        long side = resolution / autoencoder.downscale();
        Generator generator = new RandomStreams(seed).stream("posterior");
        return RandomStreams.randn(generator, 1, autoencoder.shape().latentChannels(), side, side);
    }
}
