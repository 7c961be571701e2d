package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.engine.Engine;
import dev.diva.train.StepRecord;
import dev.diva.train.TrainListener;
import dev.diva.world.WorldRecipe;
import dev.diva.world.WorldWriter;
import dev.diva.world.pretrain.AutoencoderPretraining;
import dev.diva.world.pretrain.CaptionCheck;
import dev.diva.world.pretrain.ClipPretraining;
import dev.diva.world.pretrain.DiffusionPretraining;
import dev.diva.world.pretrain.PretrainSettings;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Makes the mini world: its images and pairs, and the small models that the demo comes with. */
@Command(
        name = "world",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        description = "The mini world of the demo: images, pairs, and small models trained from nothing.")
public final class WorldCommand {
    private static final int LINE_EVERY = 50;

    @Spec
    private CommandSpec spec;

    /** What decides the captioned images. */
    static final class Scenes {
        @Option(names = "--seed", defaultValue = "1", description = "Of scenes, weights and draws. Default: 1.")
        private long seed;

        @Option(names = "--side", defaultValue = "48", description = "Pixels of an image each way. Default: 48.")
        private int side;

        @Option(names = "--captioned", defaultValue = "32000", description = "Captioned images. Default: 32000.")
        private int captioned;

        @Option(
                names = "--named",
                description = "Probability that a web caption names a fine attribute. Default: that of the demo.")
        private Double named;

        WorldRecipe recipe() {
            WorldRecipe standard = WorldRecipe.DEFAULT;
            return new WorldRecipe(
                    seed,
                    side,
                    captioned,
                    standard.posttrain(),
                    standard.retrieval(),
                    standard.pairs(),
                    standard.probe(),
                    named == null ? standard.named() : named);
        }
    }

    /** How a model is trained; what is not given is as in the shipped ones. */
    static final class Training {
        @Option(names = "--steps", description = "Steps of the optimiser.")
        private Integer steps;

        @Option(names = "--batch", description = "Images a step.")
        private Integer batch;

        @Option(names = "--lr", description = "Peak learning rate.")
        private Double lr;

        @Mixin
        private ThreadsOption threads;

        PretrainSettings settings(long seed, PretrainSettings standard) {
            threads.requireSensible();
            Engine.setThreads(threads.count());
            return new PretrainSettings(
                    seed,
                    steps == null ? standard.steps() : steps,
                    batch == null ? standard.batch() : batch,
                    lr == null ? standard.lr() : lr);
        }
    }

    /** Where the result goes and how it is told. */
    static final class Output {
        @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder to write.")
        private Path out;

        @Option(names = "--json", description = "Print JSON.")
        private boolean json;
    }

    @Command(
            name = "render",
            mixinStandardHelpOptions = true,
            description =
                    "Images with web captions, images without, pairs in the format of MMVP-VLM, retrieval, probe.")
    int render(@Mixin Scenes scenes, @Mixin Output output) throws JsonProcessingException {
        new WorldWriter(scenes.recipe()).write(output.out, part -> note("writing " + part));
        return done(output, Map.of());
    }

    @Command(
            name = "pretrain-clip",
            mixinStandardHelpOptions = true,
            description = "A small CLIP from web captions, as transformers saves it.")
    int pretrainClip(@Mixin Scenes scenes, @Mixin Training training, @Mixin Output output)
            throws JsonProcessingException {
        PretrainSettings settings = training.settings(scenes.seed, ClipPretraining.DEFAULT);
        new ClipPretraining(scenes.recipe(), settings, progress(settings)).run(output.out);
        return done(output, Map.of());
    }

    @Command(
            name = "pretrain-vae",
            mixinStandardHelpOptions = true,
            description = "A small autoencoder, as diffusers saves it.")
    int pretrainVae(@Mixin Scenes scenes, @Mixin Training training, @Mixin Output output)
            throws JsonProcessingException {
        PretrainSettings settings = training.settings(scenes.seed, AutoencoderPretraining.DEFAULT);
        new AutoencoderPretraining(scenes.recipe(), settings, progress(settings)).run(output.out);
        return done(output, Map.of());
    }

    @Command(
            name = "pretrain-diffusion",
            mixinStandardHelpOptions = true,
            description = "A small text-to-image model from full captions, as a folder of diffusers.")
    int pretrainDiffusion(
            @Mixin Scenes scenes,
            @Mixin Training training,
            @Mixin Output output,
            @Option(names = "--clip", required = true, paramLabel = "DIR", description = "Of pretrain-clip.") Path clip,
            @Option(names = "--vae", required = true, paramLabel = "DIR", description = "Of pretrain-vae.") Path vae)
            throws JsonProcessingException {
        PretrainSettings settings = training.settings(scenes.seed, DiffusionPretraining.DEFAULT);
        List<CaptionCheck.Level> levels =
                new DiffusionPretraining(scenes.recipe(), settings, progress(settings)).run(clip, vae, output.out);
        return done(output, Map.of("captions", levels));
    }

    private TrainListener progress(PretrainSettings settings) {
        return new TrainListener() {
            @Override
            public void stepDone(StepRecord step) {
                if (step.step() % LINE_EVERY == 0 || step.step() + 1 == settings.steps()) {
                    note(String.format(
                            Locale.ROOT,
                            "step %d of %d, loss %.4f, %.0f images/s",
                            step.step() + 1,
                            settings.steps(),
                            step.loss(),
                            step.imagesPerSecond()));
                }
            }
        };
    }

    private void note(String line) {
        PrintWriter err = spec.commandLine().getErr();
        err.println(line);
        err.flush();
    }

    private int done(Output output, Map<String, Object> more) throws JsonProcessingException {
        PrintWriter out = spec.commandLine().getOut();
        if (output.json) {
            Map<String, Object> result = new LinkedHashMap<>(Map.of("out", output.out.toString()));
            result.putAll(more);
            out.println(new ObjectMapper().writeValueAsString(result));
        } else {
            more.values().forEach(value -> ((List<?>) value).forEach(out::println));
            out.println("wrote " + output.out);
        }
        out.flush();
        return 0;
    }
}
