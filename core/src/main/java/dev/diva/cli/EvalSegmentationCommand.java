package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessGroup;
import dev.diva.eval.Evaluation;
import dev.diva.eval.Result;
import dev.diva.eval.segmentation.Layout;
import dev.diva.eval.segmentation.PixelCounts;
import dev.diva.eval.segmentation.SegmentationRun;
import dev.diva.eval.segmentation.SegmentationScores;
import dev.diva.eval.segmentation.SegmentationSet;
import dev.diva.segment.SavedPictures;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
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
    private static final int LONGEST_NAME = 100;

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

    /** What the models are compared with on a set. */
    private record First(List<PixelCounts> counts, SavedPictures pictures) {}

    @Override
    public Integer call() throws JsonProcessingException {
        if (limit != null && limit < 1) {
            throw new ParameterException(spec.commandLine(), "--limit is at least 1");
        }
        models.count();
        if (processes.launches()) {
            return processes.launch();
        }
        List<SegmentationSet> sets = names.stream()
                .distinct()
                .map(name -> SegmentationSet.open(Layout.named(name), data))
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
        models.each(model -> {
            for (SegmentationSet set : sets) {
                Path folder = out.resolve(folderName(model.name()));
                SavedPictures pictures =
                        new SavedPictures(set, folder.resolve(set.layout().name()));
                List<PixelCounts> counts = counts(model, set, folder, pictures, group);
                if (!group.isFirst()) {
                    continue;
                }
                First first = firsts.putIfAbsent(set.layout().name(), new First(counts, pictures));
                results.add(SegmentationScores.result(model.name(), set, counts, first == null ? null : first.counts));
                if (save && first != null) {
                    Path page = out.resolve(set.layout().name() + "-" + folder.getFileName() + ".html");
                    pictures.writeChanges(first.pictures, first.counts, counts, page);
                    note("wrote " + page);
                }
            }
        });
        return results;
    }

    private List<PixelCounts> counts(
            SegmenterOptions.Loaded model,
            SegmentationSet set,
            Path folder,
            SavedPictures pictures,
            ProcessGroup group) {
        Layout layout = set.layout();
        String scored = model.identity() + ", " + layout.name() + " of "
                + data.toAbsolutePath().normalize();
        SegmentationRun run = new SegmentationRun(set, folder.resolve(layout.name() + ".jsonl"), scored, group);
        List<PixelCounts> counts = run.counts(
                model.segmenter(layout.classes()),
                save ? pictures : SegmentationRun.Pictures.NONE,
                (done, all) -> tell(model, set, done, all));
        if (group.isFirst()) {
            AtomicFile.writeString(
                    folder.resolve(layout.name() + "-classes.csv"), SegmentationScores.csv(layout, counts));
        }
        return counts;
    }

    private void tell(SegmenterOptions.Loaded model, SegmentationSet set, int done, int all) {
        if (done % 100 == 0 || done == all) {
            note(model.name() + ", " + set.layout().name() + ": " + done + " of " + all + " pictures");
        }
    }

    private void note(String line) {
        PrintWriter err = spec.commandLine().getErr();
        err.println(line);
        err.flush();
    }

    /** The end of the path, with what no file system minds. */
    private static String folderName(String model) {
        String name = Path.of(model).toAbsolutePath().normalize().toString().replaceAll("[^A-Za-z0-9.-]+", "_");
        String end = name.substring(Math.max(0, name.length() - LONGEST_NAME));
        return end.replaceAll("^[_.]+", "");
    }
}
