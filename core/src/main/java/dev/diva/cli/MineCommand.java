package dev.diva.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.data.ImageEntry;
import dev.diva.data.ImageSet;
import dev.diva.engine.Precision;
import dev.diva.eval.ClipEncoder;
import dev.diva.eval.Feature;
import dev.diva.eval.ImageEmbeddings;
import dev.diva.mine.BlindPair;
import dev.diva.mine.Dinov2;
import dev.diva.mine.PairFolder;
import dev.diva.mine.PairSearch;
import dev.diva.report.PairGallery;
import dev.diva.report.ReportWriter;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code diva mine}: pairs that a CLIP cannot tell apart, from the user's own images. */
@Command(
        name = "mine",
        mixinStandardHelpOptions = true,
        description = "Finds pairs that CLIP calls nearly identical and DINOv2 calls different, as MMVP was built.")
public final class MineCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--clip",
            required = true,
            converter = ModelPath.class,
            paramLabel = "MODEL",
            description = "Folder or file of a CLIP, or ORG/NAME.")
    private Path clip;

    @Option(names = "--format", description = "Layout of MODEL: hf, open_clip, openai or diva. Default: found in it.")
    private String format;

    @Option(
            names = "--dino",
            required = true,
            converter = ModelPath.class,
            paramLabel = "DIR",
            description = "DINOv2 in transformers' layout.")
    private Path dino;

    @Option(
            names = "--images",
            required = true,
            arity = "1..*",
            paramLabel = "PATH",
            description = "Folders, globs, tars or files; tars and files by http(s):// and s3:// too.")
    private List<String> images;

    @Mixin
    private DataCacheOption dataCache;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder in MMVP-VLM's format.")
    private Path out;

    @Option(names = "--clip-above", defaultValue = "0.95", description = "CLIP's cosine. Default: ${DEFAULT-VALUE}.")
    private double clipAbove;

    @Option(names = "--dino-below", defaultValue = "0.6", description = "DINOv2's cosine. Default: ${DEFAULT-VALUE}.")
    private double dinoBelow;

    @Option(names = "--top", defaultValue = "150", description = "Pairs to keep. Default: ${DEFAULT-VALUE}.")
    private int top;

    @Option(
            names = "--per-image",
            defaultValue = "1",
            description = "Pairs that an image, with its near-duplicates, may be in. Default: ${DEFAULT-VALUE}.")
    private int perImage;

    @Option(
            names = "--precision",
            defaultValue = "fp32",
            converter = PrecisionName.class,
            description = PrecisionName.NAMES + "Default: fp32.")
    private Precision precision;

    @Mixin
    private ThreadsOption threads;

    @Mixin
    private DeviceOption device;

    @Option(names = "--json", description = "Print the pairs as JSON.")
    private boolean json;

    private final List<String> leftOut = new ArrayList<>();
    private Map<String, Integer> notRead = Map.of(); // files by suffix

    @Override
    public Integer call() {
        if (Double.isNaN(clipAbove) || Double.isNaN(dinoBelow)) {
            throw new ParameterException(spec.commandLine(), "--clip-above and --dino-below are cosines, -1 to 1");
        }
        if (top < 1 || perImage < 1) {
            throw new ParameterException(spec.commandLine(), "--top and --per-image are at least 1");
        }
        PairFolder.requireNew(out);
        dataCache.use();
        PrintWriter err = spec.commandLine().getErr();
        ImageSet set = ImageSet.open(images, problem -> leaveOut(problem.toString(), err));
        notRead = set.notRead();
        if (!notRead.isEmpty()) {
            err.println(set.notReadWords());
        }
        List<ImageEntry> entries = set.entries();
        float[][] clipRows;
        Clip.Options options = Clip.Options.DEFAULT
                .withPrecision(precision)
                .withThreads(threads.count())
                .withDevice(device.name())
                .withFormat(format);
        try (Clip model = Clip.load(clip, options)) {
            Warnings.print(spec, model.notes());
            clipRows = ImageEmbeddings.of(
                    new ClipEncoder(clip.toString(), model, Feature.ZERO_SHOT),
                    entries,
                    problem -> leaveOut(problem.getMessage(), err));
        }
        List<ImageEntry> readable = new ArrayList<>();
        List<float[]> rows = new ArrayList<>();
        for (int i = 0; i < clipRows.length; i++) {
            if (clipRows[i] != null) {
                readable.add(entries.get(i));
                rows.add(clipRows[i]);
            }
        }
        err.flush();
        float[][] dinoRows;
        try (Dinov2 model = Dinov2.load(dino, device.placement(precision))) {
            dinoRows = ImageEmbeddings.of(model, readable);
        }
        PairSearch search = new PairSearch(clipAbove, dinoBelow, top, perImage);
        List<BlindPair> pairs = search.find(rows.toArray(float[][]::new), dinoRows);
        if (pairs.isEmpty()) {
            throw new BadInputException(readable.size() + " images: no pair has a CLIP cosine above " + clipAbove
                    + " and a DINOv2 cosine below " + dinoBelow + "; relax the thresholds or give more images");
        }
        report(PairFolder.write(out, pairs, readable), readable.size());
        return 0;
    }

    private void leaveOut(String problem, PrintWriter err) {
        leftOut.add(problem);
        err.println("left out " + problem);
        err.flush();
    }

    private void report(List<PairFolder.Entry> entries, int numImages) {
        List<PairGallery.Item> items = entries.stream()
                .map(entry -> PairGallery.Item.of(caption(entry), entry.images()))
                .toList();
        Path gallery = out.resolve("gallery.html");
        ReportWriter.write(
                new PairGallery(
                        entries.size() + " CLIP-blind pairs of " + numImages + " images",
                        "CLIP finds the two images of a pair nearly identical (cosine above " + clipAbove
                                + "), DINOv2 finds them different (below " + dinoBelow
                                + "). Write what tells them apart"
                                + " into Questions.csv, a statement for each image.",
                        items),
                gallery);
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            ObjectNode root = new ObjectMapper().createObjectNode();
            root.put("images", numImages).put("out", out.toString()).put("gallery", gallery.toString());
            leftOut.forEach(root.putArray("leftOut")::add);
            notRead.forEach(root.putObject("notRead")::put);
            ArrayNode pairs = root.putArray("pairs");
            entries.forEach(entry -> pairs.addObject()
                    .put("clipCosine", entry.pair().clipCosine())
                    .put("dinoCosine", entry.pair().otherCosine())
                    .put("first", entry.sources().get(0))
                    .put("second", entry.sources().get(1)));
            writer.println(root.toPrettyString());
        } else {
            writer.println(entries.size() + " pairs of " + numImages + " images: " + gallery);
        }
        writer.flush();
    }

    private static String caption(PairFolder.Entry entry) {
        return String.format(
                Locale.ROOT,
                "Pair %d: CLIP %.3f, DINOv2 %.3f",
                entry.number(),
                entry.pair().clipCosine(),
                entry.pair().otherCosine());
    }
}
