package dev.diva.cli;

import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.Processes;
import dev.diva.eval.ClipEncoder;
import dev.diva.eval.Feature;
import dev.diva.eval.ImageTextEncoder;
import dev.diva.eval.SharedEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The models of a command of {@code diva eval}, and how they are run. */
final class EvalModels {
    @Option(
            names = "--clip",
            required = true,
            arity = "1..*",
            paramLabel = "MODEL",
            description = "Folders or files of models; the first is the one that others are tested against.")
    private List<Path> clips;

    @Option(
            names = "--visual",
            arity = "1..*",
            paramLabel = "FILE",
            description = "Weights of image towers alone (un2CLIP's .ckpt): each makes a further model of the first.")
    private List<Path> visuals = List.of();

    @Option(
            names = "--precision",
            defaultValue = "fp32",
            converter = PrecisionName.class,
            description = "fp32 (default) or bf16.")
    private Precision precision;

    @Option(
            names = "--feature",
            defaultValue = "zero-shot",
            converter = FeatureName.class,
            description =
                    "zero-shot (default), class-plus-mean-local (published), mean-local, or backbone (of the table).")
    private Feature feature;

    @Mixin
    private ProcessesOption processes;

    /** Names of features on the command line. */
    static final class FeatureName implements ITypeConverter<Feature> {
        @Override
        public Feature convert(String name) {
            return Feature.named(name)
                    .orElseThrow(() -> new TypeConversionException(
                            "expected zero-shot, class-plus-mean-local, mean-local or backbone"));
        }
    }

    /** Names of precisions on the command line. */
    static final class PrecisionName implements ITypeConverter<Precision> {
        @Override
        public Precision convert(String name) {
            return switch (name) {
                case "fp32" -> Precision.FP32;
                case "bf16" -> Precision.BF16;
                default -> throw new TypeConversionException("expected fp32 or bf16");
            };
        }
    }

    /** Whether the work is shared, and by which processes. */
    ProcessesOption processes() {
        return processes;
    }

    /** Meets the other processes, which must have been told to score the same. */
    Processes join() {
        return processes.join(
                Placement.cpu(precision),
                List.of(clips, visuals, precision, feature).toString());
    }

    /** Loads one model after the other and hands it on; only one is held at a time. */
    void each(Processes group, Consumer<ImageTextEncoder> scoring) {
        List<Path> all = Stream.concat(clips.stream(), visuals.stream()).toList();
        for (Path path : all) {
            if (!Files.exists(path)) {
                throw new BadInputException(path + ": no such file or folder");
            }
        }
        for (Path path : clips) {
            each(path.toString(), path, null, group, scoring);
        }
        for (Path visual : visuals) {
            each(visual.toString(), clips.get(0), visual, group, scoring);
        }
    }

    private void each(String name, Path path, Path visual, Processes group, Consumer<ImageTextEncoder> scoring) {
        try (Clip clip = Clip.load(path, visual, Clip.Options.DEFAULT.withPrecision(precision))) {
            ImageTextEncoder encoder = new ClipEncoder(name, clip, feature);
            scoring.accept(group.world() == 1 ? encoder : new SharedEncoder(encoder, group));
        }
    }
}
