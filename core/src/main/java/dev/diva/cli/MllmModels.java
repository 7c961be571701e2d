package dev.diva.cli;

import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.engine.Precision;
import dev.diva.eval.mllm.Prompts;
import dev.diva.hub.Models;
import dev.diva.mllm.ImageAspect;
import dev.diva.mllm.Llava;
import dev.diva.mllm.PromptTemplate;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The multimodal models of an evaluation: each LLaVA as it is, and once more with each tower. */
final class MllmModels {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--llava",
            converter = ModelPath.class,
            arity = "1..*",
            paramLabel = "DIR",
            description = "LLaVA-1.5 folders that answer; the first is the one that others are tested against.")
    private List<Path> llavas = List.of();

    @Option(
            names = "--format",
            converter = FormatName.class,
            description = "Layout of each --tower: hf, open_clip, openai or diva. Default: found in it.")
    private CheckpointFormat format;

    @Option(names = "--base", paramLabel = "DIR", description = "Model beneath an adapter. Default: its config's.")
    private Path base;

    @Option(
            names = "--tower",
            arity = "1..*",
            paramLabel = "MODEL",
            description = "CLIPs: each makes a further model of every LLaVA. 'config' or 'checkpoint' says which of two"
                    + " towers a LLaVA itself sees with.")
    private List<String> towers = List.of();

    @Option(
            names = "--template",
            description = "What stands around a question: ${COMPLETION-CANDIDATES}. Default: that of --prompts.")
    private PromptTemplate template;

    @Option(
            names = "--image-aspect",
            defaultValue = "pad",
            converter = AspectName.class,
            description = "pad to a square, as LLaVA (default), or crop the centre.")
    private ImageAspect aspect;

    @Option(names = "--max-new-tokens", description = "Limit beneath the benchmarks' own. Default: theirs.")
    private Integer maxNewTokens;

    @Option(
            names = "--precision",
            converter = PrecisionName.class,
            description = PrecisionName.NAMES + "Default: bf16 where the machine multiplies it fast.")
    private Precision precision;

    @Mixin
    private ThreadsOption threads;

    @Mixin
    private DeviceOption device;

    /** Names of aspects on the command line. */
    static final class AspectName implements ITypeConverter<ImageAspect> {
        @Override
        public ImageAspect convert(String name) {
            return switch (name) {
                case "pad" -> ImageAspect.PAD;
                case "crop" -> ImageAspect.CROP;
                default -> throw new TypeConversionException("expected pad or crop");
            };
        }
    }

    boolean isEmpty() {
        return llavas.isEmpty();
    }

    /** Not loaded yet; checked as far as headers tell. */
    List<LlavaAnswerer> open(Prompts prompts) {
        if (maxNewTokens != null && maxNewTokens < 1) {
            throw new ParameterException(spec.commandLine(), "--max-new-tokens is at least 1");
        }
        LlavaAnswerer.Asking asking = new LlavaAnswerer.Asking(
                template == null ? template(prompts) : template,
                aspect,
                maxNewTokens == null ? Integer.MAX_VALUE : maxNewTokens);
        Llava.Options options = new Llava.Options(
                        precision == null ? device.fastest() : precision, threads.count(), null, format, base)
                .withDevice(device.name());
        Function<Path, String> llavaName = names(llavas);
        List<Path> clips = towers.stream()
                .filter(tower -> !isOwn(tower))
                .map(Models::resolve)
                .toList();
        Function<Path, String> clipName = names(clips);
        List<LlavaAnswerer> models = new ArrayList<>();
        for (Path llava : llavas) {
            for (String tower : towersOfEach()) {
                String suffix =
                        tower == null ? "" : "+" + (isOwn(tower) ? tower : clipName.apply(Models.resolve(tower)));
                models.add(new LlavaAnswerer(llavaName.apply(llava) + suffix, llava, options.withTower(tower), asking));
            }
        }
        models.forEach(model -> Warnings.print(spec, model.check()));
        return models;
    }

    /** The own tower first, or the ones that were chosen of two. */
    private List<String> towersOfEach() {
        boolean isChosen = towers.stream().anyMatch(MllmModels::isOwn);
        List<String> all = new ArrayList<>();
        if (!isChosen) {
            all.add(null);
        }
        Stream.concat(towers.stream().filter(MllmModels::isOwn), towers.stream().filter(tower -> !isOwn(tower)))
                .forEach(all::add);
        return all;
    }

    private static boolean isOwn(String tower) {
        return Llava.OWN_TOWERS.contains(tower);
    }

    static PromptTemplate template(Prompts prompts) {
        return prompts == Prompts.VLMEVALKIT ? PromptTemplate.VLMEVALKIT : PromptTemplate.VICUNA_V1;
    }

    /** The last part of each path where that tells them apart, else the paths. */
    private static Function<Path, String> names(List<Path> paths) {
        Function<Path, String> last = Models::label;
        return paths.stream().map(last).distinct().count() == paths.size() ? last : Path::toString;
    }
}
