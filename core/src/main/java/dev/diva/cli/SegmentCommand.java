package dev.diva.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.data.PngFile;
import dev.diva.data.RasterImage;
import dev.diva.eval.TextLines;
import dev.diva.eval.segmentation.ClassNames;
import dev.diva.eval.segmentation.SegmentationSet;
import dev.diva.eval.segmentation.Segmenter;
import dev.diva.segment.Overlay;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code diva segment}: which of some classes each pixel of a picture belongs to. */
@Command(
        name = "segment",
        mixinStandardHelpOptions = true,
        subcommands = SegmentTrainCommand.class,
        description = "Colours a picture by classes that you name, with a legend; prints the share of each.")
public final class SegmentCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private SegmenterOptions models;

    @Option(names = "--image", paramLabel = "FILE", description = "The picture.")
    private Path image;

    @Option(names = "--classes", paramLabel = "NAMES", description = "Names with commas: \"cat, sofa, open door\".")
    private String classes;

    @Option(names = "--classnames", paramLabel = "FILE", description = "Names, one a line; these may hold commas.")
    private Path classFile;

    @Option(names = "--out", paramLabel = "FILE", description = "PNG to write; none is replaced.")
    private Path out;

    @Option(names = "--json", description = "Print the shares as JSON.")
    private boolean json;

    @Override
    public Integer call() {
        if (image == null || out == null) { // a command below this one needs neither
            throw new ParameterException(
                    spec.commandLine(),
                    "Missing required option: " + (image == null ? "'--image=FILE'" : "'--out=FILE'"));
        }
        if (models.count() != 1) {
            throw new ParameterException(
                    spec.commandLine(), "expected one --san FILE, or --method maskclip with one --clip");
        }
        List<String> names = names();
        ClassNames.require(names, classFile == null ? "--classes" : classFile.toString());
        if (Files.exists(out)) {
            throw new BadInputException(out + ": is there already and is not replaced; choose another --out");
        }
        RasterImage picture = SegmentationSet.image(image);
        models.each(model -> {
            int[] labels = labels(model, picture, names);
            AtomicFile.writeNew(out, PngFile.bytes(Overlay.draw(picture, names, labels)));
            print(Overlay.legend(names, labels));
        });
        return 0;
    }

    private int[] labels(SegmenterOptions.Loaded model, RasterImage picture, List<String> names) {
        Segmenter segmenter = model.segmenter(names);
        try {
            return segmenter.labels(picture);
        } catch (BadInputException e) {
            throw new BadInputException(image + ": " + e.getMessage(), e);
        }
    }

    private List<String> names() {
        if ((classes == null) == (classFile == null)) {
            throw new ParameterException(spec.commandLine(), "expected either --classes NAMES or --classnames FILE");
        }
        if (classFile != null) {
            return TextLines.classNames(classFile);
        }
        return classes.isBlank()
                ? List.of()
                : Arrays.stream(classes.split(",", -1)).map(String::strip).toList();
    }

    private void print(List<Overlay.Entry> legend) {
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            ObjectNode root = JsonNodeFactory.instance.objectNode().put("out", out.toString());
            ArrayNode shares = root.putArray("classes");
            legend.forEach(entry -> shares.addObject()
                    .put("name", entry.name())
                    .put("share", entry.share())
                    .put("color", color(entry)));
            writer.println(root.toPrettyString());
        } else {
            legend.forEach(entry ->
                    writer.printf(Locale.ROOT, "%6.2f %%  %s  %s%n", 100 * entry.share(), color(entry), entry.name()));
        }
        writer.flush();
    }

    private static String color(Overlay.Entry entry) {
        return String.format(Locale.ROOT, "#%06x", entry.color());
    }
}
