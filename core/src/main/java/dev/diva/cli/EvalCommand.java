package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.engine.Precision;
import dev.diva.eval.ClipEncoder;
import dev.diva.eval.Evaluation;
import dev.diva.eval.Feature;
import dev.diva.eval.ImageTextEncoder;
import dev.diva.eval.Interval;
import dev.diva.eval.MmvpEvaluation;
import dev.diva.eval.MmvpReader;
import dev.diva.eval.MmvpSet;
import dev.diva.eval.ModelTest;
import dev.diva.eval.PairScore;
import dev.diva.eval.Result;
import dev.diva.eval.RetrievalEvaluation;
import dev.diva.eval.Webdataset;
import dev.diva.eval.ZeroShotEvaluation;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Scores models with intervals; with several, tests each against the first. */
@Command(
        name = "eval",
        mixinStandardHelpOptions = true,
        description = "Scores with 95 %% intervals; several models side by side, each tested against the first.")
public final class EvalCommand {
    @Spec
    private CommandSpec spec;

    /** Names of features on the command line. */
    static final class FeatureName implements ITypeConverter<Feature> {
        @Override
        public Feature convert(String name) {
            return switch (name) {
                case "zero-shot" -> Feature.ZERO_SHOT;
                case "class-plus-mean-local" -> Feature.CLASS_PLUS_MEAN_LOCAL;
                case "backbone" -> Feature.BACKBONE;
                default -> throw new TypeConversionException("expected zero-shot, class-plus-mean-local or backbone");
            };
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

    /** What the tasks share. */
    static final class Models {
        @Option(
                names = "--clip",
                required = true,
                arity = "1..*",
                paramLabel = "MODEL",
                description = "Folders or files of models; the first is the one that others are tested against.")
        private List<Path> clips;

        @Option(names = "--data", required = true, paramLabel = "PATH", description = "Folder of the data set.")
        private Path data;

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
                description = "zero-shot (default), class-plus-mean-local (published) or backbone (of the table).")
        private Feature feature;

        @Option(names = "--json", description = "Print JSON.")
        private boolean json;

        Path data() {
            if (!Files.isDirectory(data)) {
                throw new BadInputException(data + ": no such folder");
            }
            return data;
        }

        /** Loads one model after the other; only one is held at a time. */
        void each(Consumer<ImageTextEncoder> score) {
            for (Path path : clips) {
                if (!Files.exists(path)) {
                    throw new BadInputException(path + ": no such file or folder");
                }
            }
            for (Path path : clips) {
                try (Clip clip = Clip.load(path, Clip.Options.DEFAULT.withPrecision(precision))) {
                    score.accept(new ClipEncoder(path.toString(), clip, feature));
                }
            }
        }
    }

    @Command(
            name = "mmvp",
            mixinStandardHelpOptions = true,
            description = "Pairs in the format of MMVP-VLM: by pattern, average, exact McNemar test.")
    int mmvp(
            @Mixin Models models,
            @Option(names = "--strict", description = "Fail when an image is missing.") boolean strict)
            throws JsonProcessingException {
        MmvpSet set = MmvpReader.read(models.data(), strict ? MmvpReader.Missing.FAIL : MmvpReader.Missing.LEAVE_OUT);
        MmvpEvaluation evaluation = new MmvpEvaluation(set);
        models.each(evaluation::add);
        return print(models, evaluation.finish());
    }

    @Command(
            name = "zeroshot",
            mixinStandardHelpOptions = true,
            description = "Zero-shot classification of a folder in the layout of CLIP_benchmark.")
    int zeroshot(
            @Mixin Models models,
            @Option(names = "--split", defaultValue = "test", description = "Folder of the tars. Default: test.")
                    String split)
            throws JsonProcessingException {
        ZeroShotEvaluation evaluation = new ZeroShotEvaluation(new Webdataset(models.data(), split));
        models.each(evaluation::add);
        return print(models, evaluation.finish());
    }

    @Command(
            name = "retrieval",
            mixinStandardHelpOptions = true,
            description = "Image and text retrieval over all captions of a folder in the layout of CLIP_benchmark.")
    int retrieval(
            @Mixin Models models,
            @Option(names = "--split", defaultValue = "test", description = "Folder of the tars. Default: test.")
                    String split,
            @Option(names = "--recall-k", split = ",", defaultValue = "5", description = "List of k. Default: 5.")
                    List<Integer> ks)
            throws JsonProcessingException {
        RetrievalEvaluation evaluation = new RetrievalEvaluation(new Webdataset(models.data(), split), ks);
        models.each(evaluation::add);
        return print(models, evaluation.finish());
    }

    private int print(Models models, Evaluation evaluation) throws JsonProcessingException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        evaluation.results().get(0).warnings().forEach(warning -> err.println("warning: " + warning));
        err.flush();
        if (models.json) {
            out.println(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(evaluation.toJson()));
        } else {
            evaluation.results().forEach(result -> print(result, out));
            evaluation.tests().forEach(test -> print(test, out));
        }
        out.flush();
        return 0;
    }

    private static void print(Result result, PrintWriter out) {
        out.println(result.model());
        result.patterns().forEach((name, score) -> row(out, name, score.fraction(), score.interval(), score));
        result.metrics()
                .forEach((name, value) ->
                        row(out, name, value, result.intervals().get(name), result.pairs()));
    }

    private static void row(PrintWriter out, String name, double value, Interval interval, PairScore pairs) {
        out.printf(
                Locale.ROOT,
                "  %-36s %6.2f %%  [%.2f, %.2f]%s%n",
                name,
                100 * value,
                100 * interval.low(),
                100 * interval.high(),
                pairs == null ? "" : "  " + pairs.pairsCorrect() + " of " + pairs.pairs() + " pairs");
    }

    private static void print(ModelTest test, PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "%s: %s against %s: gained %d, lost %d, exact McNemar p = %.3g%n",
                test.data(),
                test.second(),
                test.first(),
                test.mcNemar().gained(),
                test.mcNemar().lost(),
                test.mcNemar().p());
    }
}
