package dev.diva.feedback;

import dev.diva.data.ColorMode;
import dev.diva.data.RasterImage;
import dev.diva.diffusion.Autoencoder;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.Sampler;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * What a tower tells a denoiser: an image is painted from the condition alone, from fixed noise. Every image starts from the same stream
 * {@code reconstruction} of the seed, which gives its noise, then its recap; so two towers differ in nothing but what they tell.
 */
public final class Reconstruction {
    private static final String STREAM = "reconstruction";

    private final Autoencoder autoencoder;
    private final Denoiser denoiser;
    private final Sampler sampler;
    private final Settings settings;

    /**
     * How an image is painted.
     *
     * @param side of the image in pixels, a multiple of the autoencoder's downscale
     * @param seed of the noise and the recap
     */
    public record Settings(int side, long seed) {}

    /** Of models that stay the caller's. */
    public Reconstruction(Autoencoder autoencoder, Denoiser denoiser, Sampler sampler, Settings settings) {
        this.autoencoder = autoencoder;
        this.denoiser = denoiser;
        this.sampler = sampler;
        this.settings = settings;
    }

    /**
     * Paints one image.
     *
     * @param condition of the tower that is asked
     * @param pixels the tower's, [1, 3, imageSize, imageSize]
     * @param stepDone called after each of the steps
     * @return RGB, side x side
     */
    public RasterImage of(ImageCondition condition, Tensor pixels, Runnable stepDone) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            BatchDraws draws = new BatchDraws(new RandomStreams(settings.seed).stream(STREAM), BatchShard.whole(1));
            long latentSide = settings.side / autoencoder.downscale();
            Tensor noise = draws.randn(denoiser.latentChannels(), latentSide, latentSide);
            Condition told = condition.encode(pixels, draws).condition();
            Tensor latent = sampler.sample(
                    new Watched(denoiser, stepDone),
                    Tensors.onto(noise, told.tokens().device(), torch.kFloat()),
                    told);
            return image(autoencoder.decode(latent));
        }
    }

    /** From -1..1, [1, 3, side, side], to bytes. */
    private RasterImage image(Tensor decoded) {
        float[] planes = Tensors.toFloats(decoded);
        int area = planes.length / 3;
        byte[] samples = new byte[planes.length];
        for (int i = 0; i < planes.length; i++) {
            float value = planes[i % 3 * area + i / 3];
            samples[i] = (byte) Math.round(127.5f * (Math.max(-1, Math.min(1, value)) + 1));
        }
        return RasterImage.of(ColorMode.RGB, settings.side, settings.side, samples);
    }

    /** A denoiser that tells when it was asked. */
    private record Watched(Denoiser denoiser, Runnable stepDone) implements Denoiser {
        @Override
        public Tensor predict(Tensor zt, Tensor levels, Condition condition) {
            Tensor predicted = denoiser.predict(zt, levels, condition);
            stepDone.run();
            return predicted;
        }

        @Override
        public long crossAttentionDim() {
            return denoiser.crossAttentionDim();
        }

        @Override
        public long vectorDim() {
            return denoiser.vectorDim();
        }

        @Override
        public long latentChannels() {
            return denoiser.latentChannels();
        }
    }
}
