package dev.diva.world.pretrain;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.DrawnWeights;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.Autoencoder;
import dev.diva.diffusion.AutoencoderConfig;
import dev.diva.diffusion.Dit;
import dev.diva.diffusion.DitConfig;
import dev.diva.diffusion.NoiseConfig;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.feedback.DdpmNoise;
import dev.diva.feedback.NoiseProcess;
import dev.diva.feedback.TeacherCheck;
import dev.diva.feedback.TimestepSampler;
import dev.diva.train.TrainListener.Outcome;
import dev.diva.world.WorldRecipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Trains the small teacher, independent of the CLIP: a denoiser on the latents of the small autoencoder and its own text encoder, and puts a whole
 * diffusers folder together. A teacher of detail takes long, so that a training may start from an earlier one.
 */
public final class DiffusionPretraining {
    /** What the shipped teacher was trained with, each time. */
    public static final PretrainSettings DEFAULT = new PretrainSettings(1, 1400, 64, 2e-3);

    private static final String DENOISER = "transformer";
    private static final String TEXT_ENCODER = "text_encoder";
    private static final String TEXT_WEIGHTS = "model.safetensors";
    private static final String TEXT_MODEL = "text_model";
    private static final String STARTED = "from";

    private final WorldRecipe world;
    private final PretrainSettings settings;
    private final Levels levels;
    private final Path from; // or null
    private final PretrainListener listener;

    /**
     * Logit of the share of all timesteps at which a latent is noised.
     *
     * @param mean above 0 for high noise
     * @param std of the logit
     */
    public record Levels(double mean, double std) {
        /** What the shipped teacher was trained at first. */
        public static final Levels DEFAULT = new Levels(0.5, 1);

        TimestepSampler sampler(NoiseSchedule schedule) {
            long last = schedule.numTrainTimesteps() - 1L;
            return new TimestepSampler(0, last, TimestepSampler.Distribution.LOGIT_NORMAL, mean, std);
        }
    }

    /**
     * @param from folder of an earlier teacher, whose weights it starts with, or null for new ones
     */
    public DiffusionPretraining(
            WorldRecipe world, PretrainSettings settings, Levels levels, Path from, PretrainListener listener) {
        this.world = world;
        this.settings = settings;
        this.levels = levels;
        this.from = from;
        this.listener = listener;
    }

    /** From new weights. */
    public DiffusionPretraining(WorldRecipe world, PretrainSettings settings, PretrainListener listener) {
        this(world, settings, Levels.DEFAULT, null, listener);
    }

    /**
     * Trains and writes a folder in diffusers' layout, fp16; an interrupted training goes on.
     *
     * @param clip folder of {@link ClipPretraining}, whose tokenizer the text encoder shares, and nothing else
     * @param vae folder of {@link AutoencoderPretraining}
     * @return what the teacher knows of validation pairs, by noise level; nothing if it was stopped, no level from a further process
     */
    public Optional<List<TeacherCheck.Level>> run(Path clip, Path vae, PretrainLaunch launch) {
        Pretraining pretraining = new Pretraining(world, settings, launch, listener);
        Placement cpu = Placement.cpu(Precision.FP32);
        List<TeacherCheck.Level> found = new ArrayList<>();
        try (Scratch scratch = Scratch.create();
                PointerScope scope = new PointerScope();
                Weights weights = Weights.trained(start(), cpu, name -> true);
                CaptionStates captions =
                        new CaptionStates(weights.at(TEXT_MODEL), prepare(clip, vae, scratch.folder()));
                Weights latentWeights = Weights.frozen(
                        SafetensorsFile.open(scratch.folder().resolve("vae").resolve(MiniDiffusion.WEIGHTS)), cpu)) {
            Path parts = scratch.folder();
            Autoencoder autoencoder = Autoencoder.read(
                    latentWeights, AutoencoderConfig.read(ConfigJson.read(parts.resolve("vae/config.json"))));
            latentWeights.finish();
            Dit denoiser = new Dit(
                    weights.at(DENOISER), DitConfig.read(ConfigJson.read(parts.resolve(DENOISER + "/config.json"))));
            weights.finish();
            CaptionedScenes scenes = new CaptionedScenes(world);
            SceneLatents latents = new SceneLatents(autoencoder, scenes);
            NoiseSchedule schedule = new NoiseSchedule(
                    NoiseConfig.read(ConfigJson.read(parts.resolve("scheduler/scheduler_config.json"))));
            NoiseProcess process = new DdpmNoise(schedule, levels.sampler(schedule));
            Outcome outcome = pretraining.train(
                    weights,
                    new CaptionDenoising(denoiser, process, latents, scenes, captions),
                    pretraining.batches(scenes.count()),
                    inputs(clip, vae),
                    folder -> {
                        found.addAll(
                                new CaptionCheck(world, latents, captions).of(denoiser, schedule, settings.seed()));
                        copy(parts, folder);
                        write(folder.resolve(DENOISER).resolve(MiniDiffusion.WEIGHTS), weights, DENOISER + ".", "");
                        write(
                                folder.resolve(TEXT_ENCODER).resolve(TEXT_WEIGHTS),
                                weights,
                                TEXT_MODEL + ".",
                                TEXT_MODEL + ".");
                    });
            return outcome == Outcome.DONE ? Optional.of(found) : Optional.empty();
        }
    }

    private Map<String, Path> inputs(Path clip, Path vae) {
        Map<String, Path> inputs = new TreeMap<>(Map.of("clip", clip, "vae", vae));
        if (from != null) {
            inputs.put(STARTED, from);
        }
        return inputs;
    }

    private TensorSource start() {
        DrawnWeights drawn = InitialWeights.of(settings.seed(), Map.of());
        return from == null
                ? drawn
                : new EarlierWeights(drawn)
                        .with(from.resolve(DENOISER).resolve(MiniDiffusion.WEIGHTS), "", DENOISER + ".")
                        .with(from.resolve(TEXT_ENCODER).resolve(TEXT_WEIGHTS), TEXT_MODEL + ".", TEXT_MODEL + ".");
    }

    /** Tensors of one part, under another prefix. */
    private static void write(Path file, Weights weights, String prefix, String stored) {
        Map<String, Tensor> part = new TreeMap<>();
        weights.tensors().forEach((name, tensor) -> {
            if (name.startsWith(prefix)) {
                part.put(stored + name.substring(prefix.length()), tensor);
            }
        });
        Pretraining.write(file, part);
    }

    /** Everything of the folder but the weights that learn. */
    private Path prepare(Path clip, Path vae, Path parts) {
        try {
            for (String part : List.of(DENOISER, "vae", TEXT_ENCODER, "tokenizer", "scheduler")) {
                Files.createDirectories(parts.resolve(part));
            }
            copy(vae, parts.resolve("vae"));
            MiniTextEncoder.write(clip, parts.resolve("text_encoder"), parts.resolve("tokenizer"));
            long width =
                    ConfigJson.read(parts.resolve("text_encoder/config.json")).number("hidden_size", 0);
            write(
                    parts.resolve(DENOISER + "/config.json"),
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
