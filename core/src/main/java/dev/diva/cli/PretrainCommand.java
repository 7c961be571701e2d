package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.engine.Engine;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessGroup;
import dev.diva.train.StepRecord;
import dev.diva.train.TrainListener.Outcome;
import dev.diva.train.TrainingRun;
import dev.diva.world.WorldRecipe;
import dev.diva.world.pretrain.AutoencoderPretraining;
import dev.diva.world.pretrain.CaptionCheck;
import dev.diva.world.pretrain.ClipPretraining;
import dev.diva.world.pretrain.DiffusionPretraining;
import dev.diva.world.pretrain.LanguagePretraining;
import dev.diva.world.pretrain.PretrainLaunch;
import dev.diva.world.pretrain.PretrainListener;
import dev.diva.world.pretrain.PretrainSettings;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains a small model of the mini world from nothing; what is not given is as in the shipped ones. */
abstract class PretrainCommand implements Callable<Integer> {
    private static final int LINE_EVERY = 50;

    @Spec
    private CommandSpec spec;

    @Mixin
    private WorldCommand.Scenes scenes;

    @Mixin
    private ProcessesOption processes;

    @Mixin
    private WorldCommand.Output output;

    @Option(names = "--steps", description = "Steps of the optimiser.")
    private Integer steps;

    @Option(names = "--batch", description = "Images a step.")
    private Integer batch;

    @Option(names = "--lr", description = "Peak learning rate.")
    private Double lr;

    @Mixin
    private ThreadsOption threads;

    @Option(
            names = "--resume",
            description =
                    "Go on with a training that was interrupted, or fail; without it one that is there goes on too.")
    private boolean resume;

    private StopSignals signals;

    /** A small CLIP. */
    @Command(
            name = "pretrain-clip",
            mixinStandardHelpOptions = true,
            description = "A small CLIP from web captions, as transformers saves it.")
    static final class Clip extends PretrainCommand {
        @Override
        PretrainSettings standard() {
            return ClipPretraining.DEFAULT;
        }

        @Override
        Optional<Map<String, Object>> train(
                WorldRecipe world, PretrainSettings settings, PretrainLaunch launch, PretrainListener listener) {
            return result(new ClipPretraining(world, settings, listener).run(launch));
        }
    }

    /** A small autoencoder. */
    @Command(
            name = "pretrain-vae",
            mixinStandardHelpOptions = true,
            description = "A small autoencoder, as diffusers saves it.")
    static final class Vae extends PretrainCommand {
        @Override
        PretrainSettings standard() {
            return AutoencoderPretraining.DEFAULT;
        }

        @Override
        Optional<Map<String, Object>> train(
                WorldRecipe world, PretrainSettings settings, PretrainLaunch launch, PretrainListener listener) {
            return result(new AutoencoderPretraining(world, settings, listener).run(launch));
        }
    }

    /** A small text-to-image model. */
    @Command(
            name = "pretrain-diffusion",
            mixinStandardHelpOptions = true,
            description = "A small text-to-image model from full captions, as a folder of diffusers.")
    static final class Diffusion extends PretrainCommand {
        @Option(names = "--clip", required = true, paramLabel = "DIR", description = "Of pretrain-clip.")
        private Path clip;

        @Option(names = "--vae", required = true, paramLabel = "DIR", description = "Of pretrain-vae.")
        private Path vae;

        @Override
        PretrainSettings standard() {
            return DiffusionPretraining.DEFAULT;
        }

        @Override
        Optional<Map<String, Object>> train(
                WorldRecipe world, PretrainSettings settings, PretrainLaunch launch, PretrainListener listener) {
            Optional<List<CaptionCheck.Level>> levels =
                    new DiffusionPretraining(world, settings, listener).run(clip, vae, launch);
            return levels.map(list -> Map.of("captions", list));
        }
    }

    /** A small language model. */
    @Command(
            name = "pretrain-llm",
            mixinStandardHelpOptions = true,
            description = "A small Llama that answers questions on captions, as transformers saves it.")
    static final class Language extends PretrainCommand {
        @Override
        PretrainSettings standard() {
            return LanguagePretraining.DEFAULT;
        }

        @Override
        Optional<Map<String, Object>> train(
                WorldRecipe world, PretrainSettings settings, PretrainLaunch launch, PretrainListener listener) {
            return result(new LanguagePretraining(world, settings, listener).run(launch));
        }
    }

    /** Settings of the shipped model. */
    abstract PretrainSettings standard();

    /** Trains; what is to be told of the result, or nothing when it was stopped. */
    abstract Optional<Map<String, Object>> train(
            WorldRecipe world, PretrainSettings settings, PretrainLaunch launch, PretrainListener listener);

    static Optional<Map<String, Object>> result(Outcome outcome) {
        return outcome == Outcome.DONE ? Optional.of(Map.of()) : Optional.empty();
    }

    @Override
    public Integer call() throws JsonProcessingException {
        if (processes.launches()) {
            return processes.launch();
        }
        Engine.setThreads(threads.count());
        WorldRecipe world = scenes.recipe();
        PretrainSettings settings = settings(world.seed());
        try (ProcessGroup group = processes.join(Placement.cpu(Precision.FP32), world + " " + settings)) {
            PretrainLaunch launch = new PretrainLaunch(
                    output.out(),
                    resume,
                    group,
                    spec.commandLine().getParseResult().originalArgs());
            try {
                Optional<Map<String, Object>> result = train(world, settings, launch, listener(settings));
                if (group.isFirst()) {
                    print(result);
                }
                return result.isPresent() ? 0 : ExitCodes.RESUMABLE;
            } catch (RuntimeException e) {
                group.fail(Failure.line(e));
                throw e;
            }
        } finally {
            if (signals != null) {
                signals.close();
            }
        }
    }

    private PretrainSettings settings(long seed) {
        PretrainSettings standard = standard();
        return new PretrainSettings(
                seed,
                steps == null ? standard.steps() : steps,
                batch == null ? standard.batch() : batch,
                lr == null ? standard.lr() : lr);
    }

    private PretrainListener listener(PretrainSettings settings) {
        return new PretrainListener() {
            @Override
            public void begins(TrainingRun run, List<String> notes) {
                signals = new StopSignals(run::stop);
                if (processes.isFirst()) {
                    notes.forEach(PretrainCommand.this::note);
                }
            }

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

    private void print(Optional<Map<String, Object>> result) throws JsonProcessingException {
        PrintWriter out = spec.commandLine().getOut();
        if (result.isPresent()) {
            output.print(result.get(), out);
        } else if (output.json()) {
            out.println(new ObjectMapper().writeValueAsString(Map.of("outcome", "resumable")));
        } else {
            out.println("stopped after a checkpoint; go on with the same command");
        }
        out.flush();
    }
}
