package dev.diva.cli;

import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessGroup;
import dev.diva.eval.ClipEncoder;
import dev.diva.eval.Feature;
import dev.diva.eval.ImageTextEncoder;
import dev.diva.eval.SharedEncoder;
import dev.diva.hub.HubName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The models of a command of {@code diva eval}, and how they are run. */
final class EvalModels {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--clip",
            converter = ModelPath.class,
            required = true,
            arity = "1..*",
            paramLabel = "MODEL",
            description = "Folders or files of models; the first is the one that others are tested against.")
    private List<Path> clips;

    @Option(
            names = "--format",
            split = ",",
            description = "Layout of the models: hf, open_clip, openai or diva; one for all or one for each, by commas."
                    + " Default: found in their content.")
    private List<String> formats = List.of();

    @Option(
            names = "--visual",
            arity = "1..*",
            paramLabel = "FILE",
            description =
                    "Weights of image towers alone (un2CLIP's .ckpt), or folders of peft: each makes a further model of"
                            + " the first.")
    private List<Path> visuals = List.of();

    @Option(
            names = "--precision",
            defaultValue = "fp32",
            converter = PrecisionName.class,
            description = PrecisionName.NAMES + "Default: fp32.")
    private Precision precision;

    @Option(
            names = "--feature",
            defaultValue = "zero-shot",
            converter = FeatureName.class,
            description =
                    "zero-shot (default), class-plus-mean-local (published), mean-local, or backbone (of the table).")
    private Feature feature;

    @Mixin
    private ThreadsOption threads;

    @Mixin
    private DeviceOption device;

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

    /** What scores depend on beside model and data. */
    Map<String, String> settings() {
        return settings(precision);
    }

    /** The same of another evaluation. */
    static Map<String, String> settings(Precision precision) {
        return Map.of("precision", precision.name().toLowerCase(Locale.ROOT));
    }

    /** Whether the work is shared, and by which processes. */
    ProcessesOption processes() {
        return processes;
    }

    /** Meets the other processes, which must have been told to score the same. */
    ProcessGroup join() {
        return processes.join(
                Placement.cpu(precision),
                List.of(clips, visuals, formats, precision, feature).toString());
    }

    /** Loads one model after the other and hands it on; only one is held at a time. */
    void each(ProcessGroup group, Consumer<ImageTextEncoder> scoring) {
        List<Path> all = Stream.concat(clips.stream(), visuals.stream()).toList();
        for (Path path : all) {
            if (!Files.exists(path)) {
                throw new BadInputException(path + ": no such file or folder");
            }
        }
        if (formats.size() > 1 && formats.size() != clips.size()) {
            throw new BadInputException("--format names " + formats.size() + " layouts for " + clips.size()
                    + " models; give one for all, or one for each");
        }
        for (int i = 0; i < clips.size(); i++) {
            each(HubName.of(clips.get(i)).map(HubName::id).orElse(clips.get(i).toString()), i, null, group, scoring);
        }
        for (Path visual : visuals) {
            each(visual.toString(), 0, visual, group, scoring);
        }
    }

    private void each(String name, int model, Path visual, ProcessGroup group, Consumer<ImageTextEncoder> scoring) {
        String format = formats.isEmpty() ? null : formats.get(formats.size() == 1 ? 0 : model);
        Clip.Options options = Clip.Options.DEFAULT
                .withPrecision(precision)
                .withThreads(threads.count())
                .withDevice(device.name())
                .withFormat(format);
        try (Clip clip = Clip.load(clips.get(model), visual, options)) {
            if (processes.isFirst()) {
                Warnings.print(spec, clip.notes());
            }
            ImageTextEncoder encoder = new ClipEncoder(name, clip, feature);
            scoring.accept(group.worldSize() == 1 ? encoder : new SharedEncoder(encoder, group));
        }
    }
}
