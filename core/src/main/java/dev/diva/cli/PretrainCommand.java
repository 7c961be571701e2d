package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.engine.Engine;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessGroup;
import dev.diva.feedback.TeacherCheck;
import dev.diva.train.StepRecord;
import dev.diva.train.TrainListener.Outcome;
import dev.diva.train.TrainingRun;
import dev.diva.world.WorldRecipe;
import dev.diva.world.pretrain.AutoencoderPretraining;
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
    private String refusal; // of a model that was trained and does not do, or null

    /** A small CLIP. */
    @Command(
            name = "pretrain-clip",
            mixinStandardHelpOptions = true,
            description = "A small CLIP from web captions, as transformers saves it.")
    static final class Clip extends PretrainCommand {
        @Option(
                names = "--text",
                paramLabel = "DIR",
                description =
                        "An earlier CLIP of pretrain-clip whose text tower this one keeps as it is: a new vision tower"
                                + " alone learns.")
        private Path text;

        @Override
        PretrainSettings standard() {
            return ClipPretraining.DEFAULT;
        }

        @Override
        Optional<Map<String, Object>> train(
                WorldRecipe world, PretrainSettings settings, PretrainLaunch launch, PretrainListener listener) {
            return result(new ClipPretraining(world, settings, text, listener).run(launch));
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
            description =
                    "A small text-to-image model with a text encoder of its own, from captions, as a folder of diffusers. Fails,"
                            + " and keeps the model, where it knows too little of detail (--knows).")
    static final class Diffusion extends PretrainCommand {
        private static final long HIGH_NOISE = 541;

        @Option(names = "--clip", required = true, paramLabel = "DIR", description = "Of pretrain-clip.")
        private Path clip;

        @Option(names = "--vae", required = true, paramLabel = "DIR", description = "Of pretrain-vae.")
        private Path vae;

        @Option(
                names = "--from",
                paramLabel = "DIR",
                description = "An earlier teacher of pretrain-diffusion, to start with its weights. Default: new ones.")
        private Path from;

        @Option(
                names = "--level-mean",
                description = "Mean of the logit of the noise levels; above 0 for high noise. Default: 0.5.")
        private double levelMean = 0.5;

        @Option(
                names = "--knows",
                description =
                        "Share of single changed attributes that the teacher must tell at one of the noise levels from"
                                + " timestep 541 on. Default: ${DEFAULT-VALUE}.",
                defaultValue = "0.75")
        private double knows;

        @Override
        PretrainSettings standard() {
            return DiffusionPretraining.DEFAULT;
        }

        @Override
        Optional<Map<String, Object>> train(
                WorldRecipe world, PretrainSettings settings, PretrainLaunch launch, PretrainListener listener) {
            DiffusionPretraining.Levels levels =
                    new DiffusionPretraining.Levels(levelMean, DiffusionPretraining.Levels.DEFAULT.std());
            Optional<List<TeacherCheck.Level>> found =
                    new DiffusionPretraining(world, settings, levels, from, listener).run(clip, vae, launch);
            found.ifPresent(this::requireKnowledge);
            return found.map(list -> Map.of("captions", list));
        }

        /** A teacher that does not know an attribute erases it from the tower that it teaches. */
        private void requireKnowledge(List<TeacherCheck.Level> levels) {
            double best = levels.stream()
                    .filter(level -> level.timestep() >= HIGH_NOISE)
                    .mapToDouble(TeacherCheck.Level::knows)
                    .max()
                    .orElse(1); // a further process
            if (best < knows) {
                refuse(String.format(
                        Locale.ROOT,
                        "the teacher tells the right caption from one with a changed attribute in %.1f %% at high noise,"
                                + " expected %.1f %%: train on with --from %s and another --out",
                        100 * best,
                        100 * knows,
                        out()));
            }
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

    /** Keeps the model, and lets the command fail. */
    final void refuse(String reason) {
        refusal = reason;
    }

    final Path out() {
        return output.out();
    }

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
                if (refusal != null) {
                    note("diva: " + refusal);
                    return ExitCodes.WORK_FAILED;
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
