package dev.diva.world.pretrain;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.Autoencoder;
import dev.diva.diffusion.AutoencoderConfig;
import dev.diva.diffusion.NoiseConfig;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.diffusion.UNet;
import dev.diva.diffusion.UNetConfig;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.train.TrainListener;
import dev.diva.world.WorldRecipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;

/**
 * Trains the small denoiser on the latents of the small autoencoder, with full captions as the small CLIP's own text tower encodes them,
 * and puts a whole diffusers folder together.
 */
public final class DiffusionPretraining {
    /** What the shipped denoiser was trained with. */
    public static final PretrainSettings DEFAULT = new PretrainSettings(1, 2400, 32, 2e-3);

    private final WorldRecipe world;
    private final PretrainSettings settings;
    private final TrainListener listener;

    public DiffusionPretraining(WorldRecipe world, PretrainSettings settings, TrainListener listener) {
        this.world = world;
        this.settings = settings;
        this.listener = listener;
    }

    /**
     * Trains and writes a folder in diffusers' layout, fp16; an interrupted training goes on.
     *
     * @param clip folder of {@link ClipPretraining}
     * @param vae folder of {@link AutoencoderPretraining}
     * @return how much the denoiser uses its captions, by noise level
     */
    public List<CaptionCheck.Level> run(Path clip, Path vae, Path out) {
        AtomicFolder.requireFree(out, "choose another --out");
        Path checkpoints = Pretraining.checkpoints(out);
        Path parts = prepare(clip, vae, checkpoints.resolve("parts"));
        Placement cpu = Placement.cpu(Precision.FP32);
        List<CaptionCheck.Level> levels;
        try (PointerScope scope = new PointerScope();
                CaptionStates captions = new CaptionStates(parts, cpu);
                Weights latentWeights =
                        Weights.frozen(SafetensorsFile.open(parts.resolve("vae").resolve(MiniDiffusion.WEIGHTS)), cpu);
                Weights weights = Weights.trained(new InitialWeights(settings.seed(), Map.of()), cpu, name -> true)) {
            Autoencoder autoencoder = Autoencoder.read(
                    latentWeights, AutoencoderConfig.read(ConfigJson.read(parts.resolve("vae/config.json"))));
            latentWeights.finish();
            UNet unet = new UNet(weights, UNetConfig.read(ConfigJson.read(parts.resolve("unet/config.json"))));
            weights.finish();
            CaptionedScenes scenes = new CaptionedScenes(world);
            SceneLatents latents = new SceneLatents(autoencoder, scenes);
            NoiseSchedule schedule = new NoiseSchedule(
                    NoiseConfig.read(ConfigJson.read(parts.resolve("scheduler/scheduler_config.json"))));
            CaptionDenoising objective = new CaptionDenoising(unet, schedule, latents, scenes, captions);
            new Pretraining(settings, checkpoints, listener)
                    .train(weights, objective, latents.batches(settings.seed(), settings.batch()));
            levels = CaptionCheck.of(objective, latents, settings.seed());
            AtomicFolder.write(out, folder -> {
                copy(parts, folder);
                Pretraining.write(folder.resolve("unet").resolve(MiniDiffusion.WEIGHTS), weights.tensors());
            });
        }
        Pretraining.delete(checkpoints);
        return levels;
    }

    /** Everything of the folder but the denoiser's weights. */
    private Path prepare(Path clip, Path vae, Path parts) {
        try {
            for (String part : List.of("unet", "vae", "text_encoder", "tokenizer", "scheduler")) {
                Files.createDirectories(parts.resolve(part));
            }
            copy(vae, parts.resolve("vae"));
            MiniTextEncoder.write(clip, parts.resolve("text_encoder"), parts.resolve("tokenizer"));
            long width =
                    ConfigJson.read(parts.resolve("text_encoder/config.json")).number("hidden_size", 0);
            write(
                    parts.resolve("unet/config.json"),
                    MiniDiffusion.denoiser(width, world.side()).toPrettyString());
            write(
                    parts.resolve("scheduler/scheduler_config.json"),
                    MiniDiffusion.scheduler().toPrettyString());
            write(parts.resolve("model_index.json"), MiniDiffusion.index().toPrettyString());
        } catch (IOException e) {
            throw new BadInputException(parts + ": cannot be written: " + e, e);
        }
        return parts;
    }

    private static void write(Path file, String json) throws IOException {
        Files.writeString(file, json + "\n");
    }

    private static void copy(Path from, Path to) throws IOException {
        try (var files = Files.walk(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.copy(file, target, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }
}
