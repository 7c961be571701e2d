package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessGroup;
import dev.diva.eval.Evaluation;
import dev.diva.eval.Result;
import dev.diva.eval.segmentation.Layout;
import dev.diva.eval.segmentation.PixelCounts;
import dev.diva.eval.segmentation.Predictions;
import dev.diva.eval.segmentation.SegmentationRun;
import dev.diva.eval.segmentation.SegmentationScores;
import dev.diva.eval.segmentation.SegmentationSet;
import dev.diva.eval.segmentation.Segmenter;
import dev.diva.report.LabelChanges;
import dev.diva.segment.SavedPictures;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code diva eval segmentation}: open-vocabulary segmentation at the pictures' own size. */
@Command(
        name = "segmentation",
        mixinStandardHelpOptions = true,
        description = "Open-vocabulary segmentation with SAN or MaskCLIP on ADE-150, ADE-847, PC-59, PC-459, VOC-20 or"
                + " COCO-Stuff-171: both mean IoUs, and a row for each class.")
public final class EvalSegmentationCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private SegmenterOptions models;

    @Mixin
    private EvalOutput output;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "DIR",
            description = "Root of detectron2's data sets (DETECTRON2_DATASETS).")
    private Path data;

    @Option(
            names = "--set",
            required = true,
            split = ",",
            paramLabel = "NAME",
            description = "ade150, ade847, pc59, pc459, voc20, cocostuff171; several with commas.")
    private List<String> names;

    @Option(
            names = "--predictions",
            arity = "1..*",
            paramLabel = "DIR",
            description =
                    "In place of models: label maps that other programs wrote, DIR/NAME.png or .tif, or in a folder"
                            + " of the set's name below DIR; each value is a class.")
    private List<Path> predictions = List.of();

    @Option(names = "--limit", paramLabel = "N", description = "The first N pictures of each set alone.")
    private Integer limit;

    @Option(
            names = "--out",
            defaultValue = "segmentation",
            paramLabel = "DIR",
            description = "Folder of the counts of each picture, from which a killed run goes on, and of a CSV of the"
                    + " classes for each model and set. Default: ${DEFAULT-VALUE}.")
    private Path out;

    @Option(
            names = "--save",
            description =
                    "Write every picture in the colours of its classes to --out, and for each further model a page of"
                            + " the pictures that changed most.")
    private boolean save;

    @Mixin
    private ProcessesOption processes;

    /**
     * What is scored.
     *
     * @param identity by all that changes its answers; null where they are counted anew, because that costs nothing
     */
    private record Scored(String name, String identity, Function<SegmentationSet, SegmentationRun.Labels> labels) {
        static Scored of(SegmenterOptions.Loaded model) {
            return new Scored(model.name(), model.identity(), set -> {
                Segmenter segmenter = model.segmenter(set.layout().classes());
                return (pair, image) -> segmenter.labels(image);
            });
        }

        static Scored of(Path predictions) {
            return new Scored(predictions.toString(), null, set -> Predictions.open(set, predictions));
        }
    }

    /** What the models are compared with on a set. */
    private record First(List<PixelCounts> counts, SavedPictures pictures) {}

    @Override
    public Integer call() throws JsonProcessingException {
        if (limit != null && limit < 1) {
            throw new ParameterException(spec.commandLine(), "--limit is at least 1");
        }
        if (predictions.isEmpty()) {
            models.count();
        } else if (!models.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(), "--predictions takes no --san, --san-config, --clip and no --method");
        }
        output.requireNew();
        if (processes.launches()) {
            return processes.launch();
        }
        List<SegmentationSet> sets = Layout.named(names).stream()
                .map(layout -> SegmentationSet.open(layout, data))
                .map(set -> limit == null ? set : set.limited(limit))
                .toList();
        try (ProcessGroup group = processes.join(Placement.cpu(Precision.FP32), data + " " + names + " " + limit)) {
            try {
                List<Result> results = results(sets, group);
                if (group.isFirst()) {
                    output.print(spec.commandLine(), Evaluation.of("segmentation", results));
                }
                return 0;
            } catch (RuntimeException e) {
                group.fail(Failure.line(e));
                throw e;
            }
        }
    }

    private List<Result> results(List<SegmentationSet> sets, ProcessGroup group) {
        List<Result> results = new ArrayList<>();
        Map<String, First> firsts = new HashMap<>();
        Consumer<Scored> score = model -> sets.forEach(set -> score(model, set, firsts, group, results));
        if (predictions.isEmpty()) {
            models.each(model -> score.accept(Scored.of(model)));
        } else {
            predictions.forEach(folder -> score.accept(Scored.of(folder)));
        }
        return results;
    }

    private void score(
            Scored model, SegmentationSet set, Map<String, First> firsts, ProcessGroup group, List<Result> results) {
        Path folder = out.resolve(FolderName.of(Path.of(model.name())));
        SavedPictures pictures =
                new SavedPictures(set, folder.resolve(set.layout().name()));
        List<PixelCounts> counts = counts(model, set, folder, pictures, group);
        if (!group.isFirst()) {
            return;
        }
        First first = firsts.putIfAbsent(set.layout().name(), new First(counts, pictures));
        Result result = SegmentationScores.result(model.name(), set, counts, first == null ? null : first.counts);
        if (save && first != null) {
            Path page = out.resolve(set.layout().name() + "-" + folder.getFileName() + ".html");
            Path truth = out.resolve("truth").resolve(set.layout().name());
            result = result.with(
                    LabelChanges.write(set, first.counts, counts, pictures.beside(first.pictures, truth), page));
            note("wrote " + page);
        }
        results.add(result);
    }

    private List<PixelCounts> counts(
            Scored model, SegmentationSet set, Path folder, SavedPictures pictures, ProcessGroup group) {
        Layout layout = set.layout();
        String scored = (model.identity == null ? "label maps of " + model.name : model.identity) + ", "
                + layout.identity() + " of " + data.toAbsolutePath().normalize();
        Path file = folder.resolve(layout.name() + ".jsonl");
        SegmentationRun.Labels labels = model.labels.apply(set);
        if (model.identity == null && group.isFirst()) {
            delete(file);
        }
        SegmentationRun run = new SegmentationRun(set, file, scored, group);
        List<PixelCounts> counts = run.counts(
                labels, save ? pictures : SegmentationRun.Pictures.NONE, (done, all) -> tell(model, set, done, all));
        if (group.isFirst()) {
            AtomicFile.writeString(
                    folder.resolve(layout.name() + "-classes.csv"), SegmentationScores.csv(layout, counts));
        }
        return counts;
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be replaced: " + e.getMessage(), e);
        }
    }

    private void tell(Scored model, SegmentationSet set, int done, int all) {
        if (done % 100 == 0 || done == all) {
            note(model.name() + ", " + set.layout().name() + ": " + done + " of " + all + " pictures");
        }
    }

    private void note(String line) {
        PrintWriter err = spec.commandLine().getErr();
        err.println(line);
        err.flush();
    }
}
