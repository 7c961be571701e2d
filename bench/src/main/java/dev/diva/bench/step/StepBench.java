package dev.diva.bench.step;

import dev.diva.clip.TrainedPart;
import dev.diva.clip.VisionModel;
import dev.diva.clip.VisionTokens;
import dev.diva.data.Filter;
import dev.diva.data.ImageLoader;
import dev.diva.data.ImageSet;
import dev.diva.data.RandomCrop;
import dev.diva.data.RasterImage;
import dev.diva.data.Resampler;
import dev.diva.data.SampleOrder;
import dev.diva.diffusion.AutoencoderConfig;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.diffusion.UNet;
import dev.diva.engine.Activations;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.Engine;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Scopes;
import dev.diva.engine.Speed;
import dev.diva.engine.Tensors;
import dev.diva.feedback.DenoisingLoss;
import dev.diva.feedback.NoiseProcess;
import dev.diva.feedback.Projection;
import dev.diva.feedback.Recap;
import dev.diva.feedback.RecapSettings;
import dev.diva.feedback.TimestepSampler;
import dev.diva.feedback.TrainingPixels;
import dev.diva.train.Sgd;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The training step of the default recipe, a stage at a time: {@code CLIP DIFFUSION IMAGES fp32|bf16 BATCH STEPS kept|recomputed}. Two
 * draws, which share a pass of the UNet when the batch is one image; every stage is computed in every step, the autoencoder too.
 */
public final class StepBench implements AutoCloseable {
    private static final int DRAWS = 2;
    private static final int PIXELS = 512;
    private static final int WORKERS = 2;
    private static final double RATE = 1e-4;

    private final int batch;
    private final boolean isTogether;
    private final VisionModel vision;
    private final DiffusionModel teacher;
    private final Projection projection;
    private final Recap recap;
    private final DenoisingLoss loss;
    private final Tensor text;
    private final ImageLoader<float[][]> loader;
    private final BatchDraws draws;
    private final Sgd optimizer = new Sgd(0.9, 0);
    private final Stages stages;
    private final Map<String, Double> work = new LinkedHashMap<>();

    private StepBench(String[] args, Placement placement) {
        this.batch = Integer.parseInt(args[4]);
        this.isTogether = batch == 1 && placement.activations() == Activations.KEPT;
        this.stages = new Stages(Integer.parseInt(args[5]));
        this.vision = VisionModel.load(Path.of(args[0]), placement, TrainedPart.full());
        this.teacher = DiffusionModel.load(Path.of(args[1]), placement);
        long patches = vision.tower().config().numPatches();
        this.recap = new RecapSettings("random", 76, null, null, true, "elementwise").recap(patches);
        this.projection = Projection.random(
                vision.tower().config().projectionDim(), teacher.denoiser().crossAttentionDim(), 1, placement.device());
        this.loss = new DenoisingLoss(
                teacher.denoiser(),
                teacher.schedule(),
                new TimestepSampler(
                        0, teacher.schedule().numTrainTimesteps() - 1L, TimestepSampler.Distribution.UNIFORM, 0, 1));
        this.text = Scopes.keep(teacher.encodePrompt("a photo of a .")
                .to(placement.device(), placement.precision().dtype()));
        this.draws = new BatchDraws(new RandomStreams(1).stream("draws"), BatchShard.whole(batch));
        this.loader = loader(args[2]);
        countWork();
    }

    private ImageLoader<float[][]> loader(String folder) {
        ImageSet images = ImageSet.open(List.of(folder), problem -> {});
        TrainingPixels pixels = TrainingPixels.of(false, vision.preprocessing());
        RandomCrop crop = RandomCrop.published();
        return new ImageLoader<>(
                images,
                new SampleOrder(images.size(), 1, true),
                ImageLoader.Settings.of(WORKERS, 2 * batch + WORKERS),
                (image, draw) -> {
                    RasterImage rgb = image.toRgb();
                    RasterImage square = Resampler.resize(
                            rgb,
                            crop.box(rgb.width(), rgb.height(), draw.seed(), draw.epoch(), draw.index()),
                            PIXELS,
                            PIXELS,
                            Filter.BICUBIC);
                    return new float[][] {pixels.tower(square), pixels.autoencoder(square)};
                },
                problem -> {});
    }

    private void countWork() {
        Work tower = StepWork.tower(vision.tower().config());
        long side = PIXELS / teacher.autoencoder().downscale();
        Work unet = StepWork.unet(((UNet) teacher.denoiser()).config(), side, text.size(1));
        work.put(
                "autoencoder",
                batch
                        * StepWork.encoder(
                                        (AutoencoderConfig)
                                                teacher.autoencoder().shape(),
                                        PIXELS)
                                .forward());
        work.put("tower forward", batch * tower.forward());
        work.put("UNet forward", DRAWS * batch * unet.forward());
        work.put("UNet backward", DRAWS * batch * unet.backward());
        work.put("tower backward", 2 * batch * tower.forward());
    }

    public static void main(String[] args) {
        Engine.setThreads(Integer.getInteger("diva.threads", 0));
        Precision precision = Precision.valueOf(args[3].toUpperCase(Locale.ROOT));
        Placement placement = new Placement(
                Placement.cpu(precision).device(), precision, Activations.valueOf(args[6].toUpperCase(Locale.ROOT)));
        double peak = Speed.matmul(precision);
        try (PointerScope scope = new PointerScope();
                StepBench bench = new StepBench(args, placement)) {
            for (int step = 0; step <= Integer.parseInt(args[5]); step++) {
                try (PointerScope inner = new PointerScope()) {
                    bench.stages.begin(step);
                    bench.step();
                }
            }
            peak = Math.max(peak, Speed.matmul(precision));
            System.out.printf(
                    Locale.ROOT,
                    "%s, batch %s, %d draws, %d threads; matrix product peak %.0f GFLOP/s, attention %.0f%n%s",
                    args[3],
                    args[4],
                    DRAWS,
                    Engine.threads(),
                    peak,
                    Speed.attention(precision),
                    bench.stages.table(peak));
        }
    }

    private void step() {
        parameters().values().forEach(parameter -> parameter.mutable_grad().reset());
        List<float[][]> samples = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            samples.add(loader.next().value());
        }
        end("data, waiting");
        Tensor latents = latents(samples);
        end("autoencoder");
        Tensor hidden = vision.tower().encode(towerPixels(samples));
        end("tower forward");
        VisionTokens tokens = vision.tower().tokens(hidden);
        Tensor condition =
                text.add(projection.forward(recap.select(tokens, draws))).to(torch.kFloat());
        Tensor leaf = condition.detach().set_requires_grad(true);
        end("condition");
        if (isTogether) {
            judge(latents, leaf, loss.draw(latents, draws), loss.draw(latents, draws));
        } else {
            for (int draw = 0; draw < DRAWS; draw++) {
                judge(latents, leaf, loss.draw(latents, draws));
            }
        }
        condition.mul(leaf.grad()).sum().backward();
        end("tower backward");
        optimizer.update(parameters(), name -> RATE, 1);
        end("optimizer");
    }

    private void judge(Tensor latents, Tensor leaf, NoiseProcess.Draw... draws) {
        try (PointerScope scope = new PointerScope()) {
            Tensor value =
                    loss.ofEach(latents, List.of(draws), Condition.of(leaf)).sum();
            end("UNet forward");
            value.backward();
            end("UNet backward");
        }
    }

    private void end(String stage) {
        stages.end(stage, work.getOrDefault(stage, 0.0));
    }

    private Map<String, Tensor> parameters() {
        Map<String, Tensor> parameters = new LinkedHashMap<>(vision.parameters());
        parameters.putAll(projection.parameters());
        return parameters;
    }

    private Tensor towerPixels(List<float[][]> samples) {
        long size = vision.tower().config().imageSize();
        TensorVector images = new TensorVector();
        samples.forEach(sample -> images.push_back(Tensors.of(sample[0], 3, size, size)));
        return torch.stack(images);
    }

    private Tensor latents(List<float[][]> samples) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            TensorVector latents = new TensorVector();
            samples.forEach(sample ->
                    latents.push_back(teacher.autoencoder().encode(Tensors.of(sample[1], 1, 3, PIXELS, PIXELS))));
            return torch.cat(latents, 0);
        }
    }

    @Override
    public void close() {
        loader.close();
        optimizer.close();
        Scopes.release(text);
        projection.close();
        teacher.close();
        vision.close();
    }
}
