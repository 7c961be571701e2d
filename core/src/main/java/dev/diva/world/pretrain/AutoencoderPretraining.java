package dev.diva.world.pretrain;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.Autoencoder;
import dev.diva.diffusion.AutoencoderConfig;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.train.Contribution;
import dev.diva.train.Losses;
import dev.diva.train.Objective;
import dev.diva.train.TrainListener.Outcome;
import dev.diva.world.WorldRecipe;
import java.nio.file.Files;
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
    private final PretrainListener listener;

    public AutoencoderPretraining(WorldRecipe world, PretrainSettings settings, PretrainListener listener) {
        this.world = world;
        this.settings = settings;
        this.listener = listener;
    }

    /** Trains and writes a folder as diffusers saves an AutoencoderKL, fp16; an interrupted training goes on. */
    public Outcome run(PretrainLaunch launch) {
        Pretraining pretraining = new Pretraining(world, settings, launch, listener);
        ObjectNode json = MiniDiffusion.autoencoder(1.0, world.side());
        AutoencoderConfig config = AutoencoderConfig.read(MiniDiffusion.config(json));
        try (PointerScope scope = new PointerScope();
                Weights weights = Weights.trained(
                        InitialWeights.of(settings.seed(), Map.of()), Placement.cpu(Precision.FP32), name -> true)) {
            Autoencoder autoencoder = Autoencoder.read(weights, config);
            weights.finish();
            CaptionedScenes scenes = new CaptionedScenes(world);
            return pretraining.train(
                    weights,
                    new Coding(autoencoder, scenes, latentShape(json)),
                    pretraining.batches(scenes.count()),
                    Map.of(),
                    folder -> {
                        double scale = 1 / deviation(autoencoder, scenes);
                        Pretraining.write(folder.resolve(MiniDiffusion.WEIGHTS), weights.tensors());
                        Files.writeString(
                                folder.resolve("config.json"),
                                MiniDiffusion.autoencoder(scale, world.side()).toPrettyString());
                    });
        }
    }

    private long[] latentShape(ObjectNode json) {
        long side = world.side() / MiniDiffusion.DOWNSCALE;
        return new long[] {json.required("latent_channels").asLong(), side, side};
    }

    /** What the autoencoder is trained for: an image, coded with noise and decoded, is to be the same again. */
    private static final class Coding implements Objective<SceneBatch> {
        private final Autoencoder autoencoder;
        private final CaptionedScenes scenes;
        private final long[] latentShape;

        Coding(Autoencoder autoencoder, CaptionedScenes scenes, long[] latentShape) {
            this.autoencoder = autoencoder;
            this.scenes = scenes;
            this.latentShape = latentShape;
        }

        @Override
        public Losses backward(SceneBatch batch, RandomStreams streams, Contribution contribution) {
            Tensor pixels = MiniDiffusion.pixels(scenes.pixels(batch.indices()));
            Autoencoder.Posterior posterior = autoencoder.posterior(pixels);
            Tensor noise = new BatchDraws(streams.stream(STREAM), contribution.shard()).randn(latentShape);
            Tensor deviation = posterior.logVariance().mul(new Scalar(0.5)).exp();
            Tensor error = autoencoder
                    .decode(posterior.mean().add(deviation.mul(noise)))
                    .sub(pixels);
            Tensor loss = error.abs()
                    .mean()
                    .add(error.square().mean())
                    .add(divergence(posterior).mul(new Scalar(DIVERGENCE_WEIGHT)));
            return contribution.backward(loss);
        }

        @Override
        public void skip(RandomStreams streams, BatchShard none) {
            try (PointerScope scope = new PointerScope()) {
                new BatchDraws(streams.stream(STREAM), none).randn(latentShape);
            }
        }
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
