package dev.diva.world.pretrain;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
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
import dev.diva.train.TrainListener.Outcome;
import dev.diva.world.WorldRecipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    private final PretrainListener listener;

    public DiffusionPretraining(WorldRecipe world, PretrainSettings settings, PretrainListener listener) {
        this.world = world;
        this.settings = settings;
        this.listener = listener;
    }

    /**
     * Trains and writes a folder in diffusers' layout, fp16; an interrupted training goes on.
     *
     * @param clip folder of {@link ClipPretraining}
     * @param vae folder of {@link AutoencoderPretraining}
     * @return how much the denoiser uses its captions, by noise level; nothing if it was stopped, no level from a further process
     */
    public Optional<List<CaptionCheck.Level>> run(Path clip, Path vae, PretrainLaunch launch) {
        Pretraining pretraining = new Pretraining(world, settings, launch, listener);
        Placement cpu = Placement.cpu(Precision.FP32);
        List<CaptionCheck.Level> levels = new ArrayList<>();
        try (Scratch scratch = Scratch.create();
                PointerScope scope = new PointerScope();
                CaptionStates captions = new CaptionStates(prepare(clip, vae, scratch.folder()), cpu);
                Weights latentWeights = Weights.frozen(
                        SafetensorsFile.open(scratch.folder().resolve("vae").resolve(MiniDiffusion.WEIGHTS)), cpu);
                Weights weights = Weights.trained(InitialWeights.of(settings.seed(), Map.of()), cpu, name -> true)) {
            Path parts = scratch.folder();
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
            Outcome outcome = pretraining.train(
                    weights,
                    objective,
                    pretraining.batches(scenes.count()),
                    Map.of("clip", clip, "vae", vae),
                    folder -> {
                        levels.addAll(CaptionCheck.of(objective, latents, settings.seed()));
                        copy(parts, folder);
                        Pretraining.write(folder.resolve("unet").resolve(MiniDiffusion.WEIGHTS), weights.tensors());
                    });
            return outcome == Outcome.DONE ? Optional.of(levels) : Optional.empty();
        }
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
                AtomicFile.copy(file, target);
            }
        }
    }
}
