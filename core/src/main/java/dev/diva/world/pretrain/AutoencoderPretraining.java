package dev.diva.world.pretrain;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.Autoencoder;
import dev.diva.diffusion.AutoencoderConfig;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.train.MicroBatch;
import dev.diva.train.TrainListener;
import dev.diva.world.WorldRecipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Trains the small autoencoder: absolute plus squared error of the pixels, and a little of the divergence of the latents from a standard
 * normal distribution. Its scaling factor makes the variance of all latents 1.
 */
public final class AutoencoderPretraining {
    /** What the shipped autoencoder was trained with. */
    public static final PretrainSettings DEFAULT = new PretrainSettings(1, 2000, 16, 3e-3);

    private static final double DIVERGENCE_WEIGHT = 1e-4;
    private static final int MEASURED = 1024;
    private static final int MEASURED_AT_ONCE = 64;
    private static final String STREAM = "latents";

    private final WorldRecipe world;
    private final PretrainSettings settings;
    private final TrainListener listener;

    public AutoencoderPretraining(WorldRecipe world, PretrainSettings settings, TrainListener listener) {
        this.world = world;
        this.settings = settings;
        this.listener = listener;
    }

    /** Trains and writes a folder as diffusers saves an AutoencoderKL, fp16; an interrupted training goes on. */
    public void run(Path out) {
        AtomicFolder.requireFree(out, "choose another --out");
        Path checkpoints = Pretraining.checkpoints(out);
        ObjectNode json = MiniDiffusion.autoencoder(1.0, world.side());
        AutoencoderConfig config = AutoencoderConfig.read(MiniDiffusion.config(json));
        try (PointerScope scope = new PointerScope();
                Weights weights = Weights.trained(
                        new InitialWeights(settings.seed(), Map.of()), Placement.cpu(Precision.FP32), name -> true)) {
            Autoencoder autoencoder = Autoencoder.read(weights, config);
            weights.finish();
            CaptionedScenes scenes = new CaptionedScenes(world);
            new Pretraining(settings, checkpoints, listener)
                    .train(
                            weights,
                            (batch, streams, accumulation) -> backward(autoencoder, batch, streams),
                            new SceneBatches(scenes, settings.seed(), settings.batch()));
            double scale = 1 / deviation(autoencoder, scenes);
            AtomicFolder.write(out, folder -> {
                Pretraining.write(folder.resolve(MiniDiffusion.WEIGHTS), weights.tensors());
                Files.writeString(
                        folder.resolve("config.json"),
                        MiniDiffusion.autoencoder(scale, world.side()).toPrettyString());
            });
        }
        Pretraining.delete(checkpoints);
    }

    private static double[] backward(Autoencoder autoencoder, MicroBatch batch, RandomStreams streams) {
        Tensor pixels = MiniDiffusion.pixels(batch.pixels());
        Autoencoder.Posterior posterior = autoencoder.posterior(pixels);
        Tensor noise =
                RandomStreams.randn(streams.stream(STREAM), posterior.mean().shape());
        Tensor deviation = posterior.logVariance().mul(new Scalar(0.5)).exp();
        Tensor error =
                autoencoder.decode(posterior.mean().add(deviation.mul(noise))).sub(pixels);
        Tensor loss = error.abs()
                .mean()
                .add(error.square().mean())
                .add(divergence(posterior).mul(new Scalar(DIVERGENCE_WEIGHT)));
        loss.backward();
        return new double[] {loss.item_float()};
    }

    /** Mean over all latents of the Kullback-Leibler divergence from the standard normal distribution. */
    private static Tensor divergence(Autoencoder.Posterior posterior) {
        Tensor variance = posterior.logVariance().exp();
        return posterior
                .mean()
                .square()
                .add(variance)
                .sub(posterior.logVariance())
                .sub(new Scalar(1.0))
                .mul(new Scalar(0.5))
                .mean();
    }

    private static double deviation(Autoencoder autoencoder, CaptionedScenes scenes) {
        double squares = 0;
        int count = Math.min(MEASURED, scenes.count());
        int batches = Math.max(1, count / MEASURED_AT_ONCE);
        for (int i = 0; i < batches; i++) {
            int from = i * MEASURED_AT_ONCE;
            int[] indices = IntStream.range(from, Math.min(count, from + MEASURED_AT_ONCE))
                    .toArray();
            try (PointerScope scope = new PointerScope();
                    NoGradGuard noGrad = new NoGradGuard()) {
                squares += autoencoder
                        .encode(MiniDiffusion.pixels(scenes.pixels(indices)))
                        .square()
                        .mean()
                        .item_float();
            }
        }
        return Math.sqrt(squares / batches);
    }
}
