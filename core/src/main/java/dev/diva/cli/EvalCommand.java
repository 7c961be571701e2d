package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.diva.data.DataFile;
import dev.diva.engine.ProcessGroup;
import dev.diva.eval.CaptionSet;
import dev.diva.eval.CaptionTable;
import dev.diva.eval.ClassificationSet;
import dev.diva.eval.Evaluation;
import dev.diva.eval.LinearProbe;
import dev.diva.eval.MmvpEvaluation;
import dev.diva.eval.MmvpReader;
import dev.diva.eval.ProbeEvaluation;
import dev.diva.eval.PromptEnsemble;
import dev.diva.eval.RetrievalEvaluation;
import dev.diva.eval.SetEvaluation;
import dev.diva.eval.Webdataset;
import dev.diva.eval.ZeroShotEvaluation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Scores models with intervals; with several, tests each against the first. */
@Command(
        name = "eval",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {EvalAllCommand.class, EvalMllmCommand.class, EvalSegmentationCommand.class},
        description = "Scores with 95 %% intervals; several models side by side, each tested against the first.")
public final class EvalCommand {
    private static final String SPLIT = "Part of the data. Default: test.";

    @Spec
    private CommandSpec spec;

    @Command(
            name = "mmvp",
            mixinStandardHelpOptions = true,
            description = "Pairs in the format of MMVP-VLM: by pattern, average, exact McNemar test.")
    int mmvp(
            @Mixin EvalModels models,
            @Mixin EvalOutput output,
            @Mixin EvalSamples samples,
            @Option(names = "--data", required = true, arity = "1..*", paramLabel = "PATH", description = "Folders.")
                    List<Path> data,
            @Option(names = "--strict", description = "Fail when an image is missing.") boolean strict)
            throws JsonProcessingException {
        MmvpReader.Missing missing = strict ? MmvpReader.Missing.FAIL : MmvpReader.Missing.LEAVE_OUT;
        List<MmvpEvaluation> evaluations = data.stream()
                .map(folder -> MmvpReader.read(folder, missing))
                .map(set -> new MmvpEvaluation(samples.of(set)))
                .toList();
        return score(models, output, samples, evaluations);
    }

    @Command(
            name = "zeroshot",
            mixinStandardHelpOptions = true,
            description = "Zero-shot classification of folders in CLIP_benchmark's layout or of a folder per class.")
    int zeroshot(
            @Mixin EvalModels models,
            @Mixin EvalOutput output,
            @Mixin EvalSamples samples,
            @Mixin EvalClasses data,
            @Option(names = "--split", defaultValue = "test", description = SPLIT) String split)
            throws JsonProcessingException {
        PromptEnsemble prompts = new PromptEnsemble();
        List<ZeroShotEvaluation> evaluations = data.open(split).stream()
                .map(set -> new ZeroShotEvaluation(samples.of(set), prompts))
                .toList();
        return score(models, output, samples, evaluations);
    }

    @Command(
            name = "probe",
            mixinStandardHelpOptions = true,
            description = "Linear probe on frozen features, with the protocol of CLIP_benchmark.")
    int probe(
            @Mixin EvalModels models,
            @Mixin EvalOutput output,
            @Mixin EvalSamples samples,
            @Mixin EvalClasses data,
            @Mixin ProbeOptions options)
            throws JsonProcessingException {
        List<ClassificationSet> train = data.open(options.trainSplit);
        List<ClassificationSet> test = data.open(options.split);
        List<ProbeEvaluation> evaluations = new ArrayList<>();
        for (int i = 0; i < train.size(); i++) {
            evaluations.add(
                    new ProbeEvaluation(train.get(i), samples.of(test.get(i)), options.shots, options.settings()));
        }
        return score(models, output, samples, evaluations);
    }

    /** How a probe learns. */
    static final class ProbeOptions {
        @Option(names = "--train-split", defaultValue = "train", description = "Learned from. Default: train.")
        private String trainSplit;

        @Option(names = "--split", defaultValue = "test", description = "Scored on. Default: test.")
        private String split;

        @Option(names = "--shots", defaultValue = "0", description = "Training images per class. Default: all.")
        private int shots;

        @Option(names = "--epochs", defaultValue = "10", description = "Default: 10.")
        private int epochs;

        @Option(names = "--lr", defaultValue = "0.1", description = "Rate of the first step. Default: 0.1.")
        private double lr;

        @Option(names = "--weight-decay", defaultValue = "0", description = "Default: 0.")
        private double weightDecay;

        @Option(names = "--seed", defaultValue = "0", description = "Default: 0.")
        private long seed;

        @Spec(Spec.Target.MIXEE)
        private CommandSpec spec;

        /** Neither NaN nor infinite. */
        private static boolean isFrom(double least, double value) {
            return value >= least && Double.isFinite(value);
        }

        LinearProbe.Settings settings() {
            if (epochs < 1 || !isFrom(Double.MIN_VALUE, lr) || !isFrom(0, weightDecay) || shots < 0) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--epochs is at least 1, --lr above 0, --weight-decay and --shots 0 or more");
            }
            return new LinearProbe.Settings(epochs, LinearProbe.Settings.DEFAULT.batchSize(), lr, weightDecay, seed);
        }
    }

    @Command(
            name = "retrieval",
            mixinStandardHelpOptions = true,
            description = "Image and text retrieval over all captions of folders in CLIP_benchmark's layout, or of a"
                    + " folder of images with a file of captions.")
    int retrieval(
            @Mixin EvalModels models,
            @Mixin EvalOutput output,
            @Mixin EvalSamples samples,
            @Mixin RetrievalOptions options,
            @Option(names = "--recall-k", split = ",", defaultValue = "5", description = "List of k. Default: 5.")
                    List<Integer> ks)
            throws JsonProcessingException {
        List<RetrievalEvaluation> evaluations = options.sets().stream()
                .map(set -> new RetrievalEvaluation(samples.of(set), ks))
                .toList();
        return score(models, output, samples, evaluations);
    }

    /** Where captions come from. */
    static final class RetrievalOptions {
        @Option(
                names = "--data",
                required = true,
                arity = "1..*",
                paramLabel = "PATH",
                converter = EvalClasses.DataPlace.class,
                description = "Folders; those in CLIP_benchmark's layout also behind http(s):// and s3://.")
        private List<DataFile> data;

        @Mixin
        private DataCacheOption dataCache;

        @Option(
                names = "--captions",
                paramLabel = "FILE",
                description =
                        "COCO's or Karpathy's JSON, a list of entries in JSON or JSONL, or a CSV or TSV with a header;"
                                + " --data is the folder of images.")
        private Path captions;

        @Option(names = "--image-column", defaultValue = "image", description = "Column of a table. Default: image.")
        private String imageColumn;

        @Option(
                names = "--caption-column",
                defaultValue = "caption",
                description = "Column of a table. Default: caption.")
        private String captionColumn;

        @Option(names = "--split", defaultValue = "test", description = SPLIT)
        private String split;

        List<CaptionSet> sets() {
            dataCache.use();
            CaptionTable.Selection selection = new CaptionTable.Selection(split, imageColumn, captionColumn);
            return data.stream()
                    .map(folder -> captions == null
                            ? (CaptionSet) new Webdataset(folder, split)
                            : CaptionTable.read(captions, folder.path(), selection))
                    .toList();
        }
    }

    private int score(
            EvalModels models, EvalOutput output, EvalSamples samples, List<? extends SetEvaluation> evaluations)
            throws JsonProcessingException {
        output.requireNew();
        samples.requireNew();
        if (models.processes().launches()) {
            return models.processes().launch();
        }
        try (ProcessGroup group = models.join()) {
            models.each(group, encoder -> evaluations.forEach(evaluation -> evaluation.add(encoder)));
        }
        if (models.processes().isFirst()) {
            Evaluation evaluation = Evaluation.joined(
                    evaluations.stream().map(SetEvaluation::finish).toList());
            output.print(spec.commandLine(), evaluation, models.settings());
            samples.write(evaluation);
        }
        return 0;
    }
}
