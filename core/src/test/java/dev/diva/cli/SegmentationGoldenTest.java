package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.data.ColorMode;
import dev.diva.data.PngFile;
import dev.diva.data.RasterImage;
import dev.diva.engine.Tensors;
import dev.diva.segment.SanCase;
import dev.diva.segment.SanPixels;
import dev.diva.segment.SanSettings;
import dev.diva.testing.Close;
import dev.diva.testing.Detectron2;
import dev.diva.testing.Golden;
import dev.diva.testing.Rasters;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The three cases of SAN through the command line: predictions, a training, scores. */
@Tag("golden")
class SegmentationGoldenTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final SanCase LARGE = new SanCase("large");
    private static final Golden DATA = Golden.of("san-data");
    private static final Golden TRAIN = Golden.of("san-train");
    private static final int IGNORED = 255;
    private static final double LOOKED_FOR = 0.01; // of the labels may be others where a picture is some levels off

    @TempDir
    private Path temporary;

    private static JsonNode json(String... arguments) throws IOException {
        TrainRuns.Outcome outcome = TrainRuns.run(arguments);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return JSON.readTree(outcome.out());
    }

    private static int[] ints(Tensor tensor) {
        return Arrays.stream(Tensors.toLongs(tensor)).mapToInt(Math::toIntExact).toArray();
    }

    private static void writeLabels(Path file, int width, int type, int... labels) throws IOException {
        BufferedImage image = new BufferedImage(width, labels.length / width, type);
        for (int i = 0; i < labels.length; i++) {
            image.getRaster().setSample(i % width, i / width, 0, labels[i]);
        }
        ImageIO.write(image, "png", file.toFile());
    }

    /** A data set of one's own with the case's classes; its folders. */
    private Path[] set(String name) throws IOException {
        Files.writeString(
                temporary.resolve("set.yaml"),
                "name: " + name + "\nimages: images\nlabels: labels\nignored: " + IGNORED + "\nclasses: "
                        + JSON.writeValueAsString(SanCase.vocabulary()) + "\n");
        return new Path[] {
            Files.createDirectories(temporary.resolve("images")), Files.createDirectories(temporary.resolve("labels"))
        };
    }

    /**
     * The authors' labels as truth: {@code eval segmentation} hits the pixels, and {@code segment} names the same shares. The case has the
     * resized pictures alone, so a picture of the original size that becomes one, nearly, is looked for. Its pictures
     * in one padded batch and its second CLIP, whose classes are vectors and not names, have no counterpart in a command.
     */
    @Test
    void predictionsAreThoseOfTheAuthors() throws IOException {
        Path[] folders = set("forward");
        int pixels = 0;
        int close = 0;
        int shortEdge = 0;
        Map<String, int[]> truth = new HashMap<>();
        try (PointerScope scope = new PointerScope()) {
            for (Iterator<String> runs = LARGE.runs(); runs.hasNext(); ) {
                String run = runs.next();
                JsonNode sizes = LARGE.sizes().path(run);
                if (sizes.size() != 1) {
                    continue;
                }
                int width = sizes.at("/0/1").asInt();
                RasterImage resized = LARGE.images(run).get(0);
                RasterImage original = original(resized, width, sizes.at("/0/0").asInt());
                shortEdge = Math.min(resized.width(), resized.height());
                Files.write(folders[0].resolve(run + ".png"), PngFile.bytes(original));
                String prefix = "large." + run + ".";
                int[] labels = ints(SanCase.golden().expected(prefix + "labels.0"));
                writeLabels(folders[1].resolve(run + ".png"), width, BufferedImage.TYPE_BYTE_GRAY, labels);
                truth.put(run, labels);
                pixels += labels.length;
                close += ints(SanCase.golden().expected(prefix + "close.0"))[0];
            }
        }
        Path settings = Files.writeString(
                LARGE.settings(temporary),
                Files.readString(LARGE.settings(temporary)) + "shortEdge: " + shortEdge + "\n");
        List<String> model = List.of(
                "--san",
                LARGE.san().toString(),
                "--clip",
                LARGE.clip().toString(),
                "--san-config",
                settings.toString());
        List<String> eval = new ArrayList<>(List.of("eval", "segmentation", "--json"));
        eval.addAll(model);
        eval.addAll(List.of("--data", temporary.toString(), "--set", temporary.resolve("set.yaml") + "", "--out"));
        eval.add(temporary.resolve("out").toString());
        double hit = json(eval.toArray(String[]::new))
                .at("/results/0/metrics/pixel_accuracy")
                .asDouble();
        double off = (double) close / pixels + LOOKED_FOR;
        assertThat(hit).isGreaterThan(1 - off);
        for (Map.Entry<String, int[]> run : truth.entrySet()) {
            List<String> segment = new ArrayList<>(List.of("segment", "--json"));
            segment.addAll(model);
            Path names = Files.write(temporary.resolve("names.txt"), SanCase.vocabulary());
            segment.addAll(
                    List.of("--image", folders[0].resolve(run.getKey() + ".png") + "", "--classnames", names + ""));
            segment.addAll(
                    List.of("--out", temporary.resolve(run.getKey() + ".png").toString()));
            JsonNode shares = json(segment.toArray(String[]::new)).path("classes");
            for (JsonNode share : shares) {
                int own = SanCase.vocabulary().indexOf(share.path("name").asText());
                long expected =
                        Arrays.stream(run.getValue()).filter(c -> c == own).count();
                assertThat(share.path("share").asDouble())
                        .isCloseTo((double) expected / run.getValue().length, within(off * truth.size()));
            }
        }
    }

    /** A picture of another size that becomes this one, but for some levels, when it is resized: what is missing is added. */
    private static RasterImage original(RasterImage resized, int width, int height) {
        RasterImage original = SanPixels.resized(resized, width, height);
        double[] wanted = new double[original.samples().length];
        for (int i = 0; i < wanted.length; i++) {
            wanted[i] = original.samples()[i] & 0xff;
        }
        for (int round = 0; round < 60; round++) {
            byte[] now = SanPixels.resized(original, resized.width(), resized.height())
                    .samples();
            byte[] missing = new byte[now.length]; // 128 is nothing
            for (int i = 0; i < now.length; i++) {
                int far = (resized.samples()[i] & 0xff) - (now[i] & 0xff);
                missing[i] = (byte) (128 + Math.max(-128, Math.min(127, far)));
            }
            RasterImage added = RasterImage.of(ColorMode.RGB, resized.width(), resized.height(), missing);
            byte[] spread = SanPixels.resized(added, width, height).samples();
            byte[] samples = new byte[wanted.length];
            for (int i = 0; i < wanted.length; i++) {
                wanted[i] = Math.max(0, Math.min(255, wanted[i] + (spread[i] & 0xff) - 128));
                samples[i] = (byte) wanted[i];
            }
            original = RasterImage.of(ColorMode.RGB, width, height, samples);
        }
        return original;
    }

    /** Losses, rates, gradients' norms and weights of three whole steps of {@code segment train} with the authors' points. */
    @Test
    void aTrainingFollowsTheAuthors() {
        SanCase.onEitherSideOfAKink(shift -> {
            try {
                checkTraining(shift);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private void checkTraining(double shift) throws IOException {
        JsonNode facts = TRAIN.json("case.json");
        Path run = temporary.resolve("run" + shift);
        int given = 0;
        try (PointerScope scope = new PointerScope()) {
            while (TRAIN.inputs().info("step" + given + ".main.candidate_points") != null) {
                given++;
            }
            TrainRuns.Outcome outcome = TrainRuns.run(
                    "segment",
                    "train",
                    recipe(facts, given, shift).toString(),
                    "--clip",
                    LARGE.clip().toString(),
                    "--out",
                    run.toString());
            assertThat(outcome.code()).as(outcome.err()).isZero();
            List<String> lines = Files.readAllLines(run.resolve("metrics.jsonl"));
            float[] rates = Tensors.toFloats(TRAIN.expected("learning_rate_of_each_step"));
            for (int step = 0; step < given; step++) {
                JsonNode line = JSON.readTree(lines.get(step));
                String prefix = "step" + step + ".";
                double tolerance = step == 0 ? TRAIN.tolerance() : 1e-3; // as the class's test
                assertThat(line.path("loss").asDouble()).isCloseTo(expected(prefix + "total"), within(tolerance));
                for (String loss : List.of("loss_ce", "loss_mask", "loss_dice")) {
                    for (String depth : List.of("", "_0")) {
                        assertThat(line.path(loss + depth).asDouble())
                                .isCloseTo(expected(prefix + loss + depth), within(tolerance));
                    }
                }
                double norm = expected(prefix + "gradient_norm");
                assertThat(line.path("gradNorm").asDouble()).isCloseTo(norm, within(1e-3 * norm));
                assertThat(line.path("lr").asDouble()).isCloseTo(rates[step], within(1e-9));
            }
            Path masters = run.resolve(String.format("checkpoints/step-%08d/masters.safetensors", given));
            try (SafetensorsFile file = SafetensorsFile.open(masters)) {
                assertThat(file.tensors()).hasSize(facts.path("learns").size());
                for (TensorInfo info : file.tensors()) {
                    Close.assertClose(
                            file.read(info.name()), TRAIN.expected("step" + given + ".weight." + info.name()), 0, 1e-4);
                }
            }
        }
    }

    private static double expected(String name) {
        return Tensors.toFloats(TRAIN.expected(name))[0];
    }

    /** Pictures, labels, points and start as files; the recipe that takes them as they are. */
    private Path recipe(JsonNode facts, int given, double shift) throws IOException {
        Path[] folders = set("train");
        List<RasterImage> images = Rasters.of(TRAIN.input("images_u8"));
        Rasters.write(images, folders[0]);
        int crop = images.get(0).width();
        for (int i = 0; i < images.size(); i++) {
            int[] labels = ints(TRAIN.input("label_maps").select(0, i));
            Path file = folders[1].resolve(String.format("%02d.png", i));
            writeLabels(file, crop, BufferedImage.TYPE_BYTE_GRAY, labels);
        }
        JsonNode optimizer = facts.path("optimizer");
        int steps = (int) number(optimizer, "schedule", "step/(\\d+)");
        SanSettings settings = SanSettings.read(LARGE.settings(temporary));
        return Files.writeString(
                temporary.resolve("recipe.yaml"),
                String.join(
                        "\n",
                        "data: " + temporary,
                        "set: " + temporary.resolve("set.yaml"),
                        "start: " + start(shift),
                        "draws: " + points(given, steps),
                        "san: "
                                + JSON.writeValueAsString(Map.of(
                                        "clipResolution", settings.clipResolution(),
                                        "sideHeads", settings.sideHeads(),
                                        "fusion", settings.fusion(),
                                        "recognitionLayer", settings.recognitionLayer())),
                        "crop: " + crop,
                        "shortEdges: [" + crop + "]",
                        "longEdge: " + 4 * crop,
                        "shuffle: false",
                        "augment: false",
                        "points: " + facts.path("points"),
                        "precision: fp32",
                        "threads: 1",
                        "train: "
                                + JSON.writeValueAsString(Map.of(
                                        "steps", steps,
                                        "batch", images.size(),
                                        "accumulate", 1,
                                        "lr", optimizer.path("lr").asDouble(),
                                        "betas", optimizer.path("betas"),
                                        "eps", optimizer.path("eps").asDouble(),
                                        "weightDecay", number(optimizer, "weight_decay", "^([0-9.e-]+)"),
                                        "maxGradNorm", number(optimizer, "clip", "norm ([0-9.e-]+)"))),
                        "checkpoint: {every: " + given + ", keep: " + steps + "}",
                        ""));
    }

    private static double number(JsonNode facts, String key, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(facts.path(key).asText());
        assertThat(matcher.find()).as(key).isTrue();
        return Double.parseDouble(matcher.group(1));
    }

    /** The SAN that is gone on from, with the biases before a ReLU moved. */
    private Path start(double shift) {
        Map<String, Tensor> tensors = new HashMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(LARGE.san())) {
            for (TensorInfo info : file.tensors()) {
                Tensor tensor = file.read(info.name()).to(ScalarType.Float);
                boolean moves = SanCase.isBeforeRelu(info.name());
                tensors.put(info.name(), moves ? tensor.add(new Scalar(shift)) : tensor);
            }
            Path start = temporary.resolve("start" + shift + ".safetensors");
            SafetensorsWriter.write(start, tensors, Map.of());
            return start;
        }
    }

    /** The case's points in the order in which they are asked for; steps that it does not know take those of the first ones. */
    private Path points(int given, int steps) {
        Map<String, Tensor> points = new HashMap<>();
        for (int step = 0; step < steps; step++) {
            int order = 0;
            for (String depth : List.of("main", "aux")) {
                String prefix = "step" + step % given + "." + depth + ".";
                for (int i = 0; TRAIN.inputs().info(prefix + "match_points." + i) != null; i++) {
                    points.put(step + "." + order++, TRAIN.input(prefix + "match_points." + i));
                }
                points.put(step + "." + order++, TRAIN.input(prefix + "candidate_points"));
                points.put(step + "." + order++, TRAIN.input(prefix + "random_points"));
            }
        }
        Path file = temporary.resolve("points.safetensors");
        SafetensorsWriter.write(file, points, Map.of());
        return file;
    }

    /** The given predictions as label maps of another program: detectron2's five scores and the IoU and accuracy of each class. */
    @Test
    void scoresOfGivenLabelMapsAreDetectron2s() throws IOException {
        Map<String, String> sets = Map.of(
                "ade150", "ade20k_sem_seg_val",
                "ade847", "ade20k_full_sem_seg_val",
                "pc59", "pcontext_sem_seg_val",
                "pc459", "pcontext_full_sem_seg_val");
        Path maps = temporary.resolve("maps");
        for (Map.Entry<String, String> set : sets.entrySet()) {
            Path folder = Files.createDirectories(maps.resolve(set.getKey()));
            String prefix = set.getValue() + ".prediction.";
            for (String name : Golden.endings(DATA.inputs(), prefix)) {
                Tensor labels = DATA.input(prefix + name);
                int type = set.getKey().matches("ade150|pc59")
                        ? BufferedImage.TYPE_BYTE_GRAY
                        : BufferedImage.TYPE_USHORT_GRAY;
                writeLabels(folder.resolve(name + ".png"), (int) labels.size(1), type, ints(labels));
            }
        }
        Path out = temporary.resolve("scores");
        JsonNode results = json(
                        "eval",
                        "segmentation",
                        "--predictions",
                        maps.toString(),
                        "--data",
                        DATA.file("datasets").toString(),
                        "--set",
                        String.join(",", sets.keySet()),
                        "--out",
                        out.toString(),
                        "--json")
                .path("results");
        assertThat(results).hasSize(sets.size());
        double tolerance = DATA.json("case.json").path("tolerance_scores").asDouble();
        for (JsonNode result : results) {
            String golden = sets.get(result.path("data").asText());
            Detectron2.SCORES.forEach((theirs, ours) -> assertThat(
                            100 * result.path("metrics").path(ours).asDouble())
                    .as(theirs)
                    .isEqualTo(doubles(golden + "." + theirs)[0], within(tolerance)));
            checkClasses(out, result.path("data").asText(), golden, tolerance);
        }
    }

    private static void checkClasses(Path out, String set, String golden, double tolerance) throws IOException {
        double[] iou = doubles(golden + ".iou");
        double[] accuracy = doubles(golden + ".accuracy");
        Path csv;
        try (Stream<Path> files = Files.walk(out)) {
            csv = files.filter(file -> file.endsWith(set + "-classes.csv"))
                    .findFirst()
                    .orElseThrow();
        }
        try (CSVParser rows = CSVFormat.RFC4180.builder().setHeader().get().parse(Files.newBufferedReader(csv))) {
            for (CSVRecord row : rows) {
                int c = Integer.parseInt(row.get("class"));
                assertThat(percent(row.get("iou"))).isEqualTo(iou[c], within(tolerance));
                assertThat(percent(row.get("accuracy"))).isEqualTo(accuracy[c], within(tolerance));
            }
            assertThat(rows.getRecordNumber()).isEqualTo(iou.length);
        }
    }

    private static double percent(String fraction) {
        return fraction.isEmpty() ? -1 : 100 * Double.parseDouble(fraction);
    }

    private static double[] doubles(String name) {
        Tensor tensor = DATA.expected(name).contiguous();
        double[] values = new double[Math.toIntExact(tensor.numel())];
        new DoublePointer(tensor.data_ptr()).get(values);
        return values;
    }

    /** A data set of one's own that cannot be: told with the file. */
    @Test
    void dataSetsThatCannotBeAreRefused() throws IOException {
        Path yaml = temporary.resolve("set.yaml");
        Map<String, String> reasons = Map.of(
                "ignored: 255\nclasses: [cat, null]", "class 2 of 2 has no name",
                "ignored: 255\nclasses: []", "no class is given",
                "ignored: 255\nclasses: [cat, CAT]", "class \"CAT\" is given twice",
                "ignored: 1\nclasses: [cat, dog]", "ignored is 1, which is the class dog",
                "classes: [cat, dog]", "expected name (letters, digits, . _ -), images, labels, ignored and");
        for (Map.Entry<String, String> reason : reasons.entrySet()) {
            Files.writeString(yaml, "name: own\nimages: images\nlabels: labels\n" + reason.getKey() + "\n");
            assertRefused(reason.getValue(), temporary);
            assertRefused("set.yaml: ", temporary);
        }
    }

    /** Label maps that do not fit are told in one line. */
    @Test
    void labelMapsThatDoNotFitAreRefused() throws IOException {
        Path[] folders = set("own");
        RasterImage picture = RasterImage.of(ColorMode.RGB, 4, 2, new byte[3 * 8]);
        Files.write(folders[0].resolve("a.png"), PngFile.bytes(picture));
        writeLabels(folders[1].resolve("a.png"), 4, BufferedImage.TYPE_BYTE_GRAY, new int[8]);
        Path maps = Files.createDirectories(temporary.resolve("maps"));
        assertRefused("1 of 1 pictures have no label map here, the first: expected a.png", maps);
        writeLabels(maps.resolve("a.png"), 2, BufferedImage.TYPE_BYTE_GRAY, new int[8]);
        assertRefused("2x4 labels for", maps);
        writeLabels(maps.resolve("a.png"), 4, BufferedImage.TYPE_BYTE_GRAY, 0, 0, 0, 0, 0, IGNORED, 0, 0);
        assertRefused("label 255 at column 1, row 1; own has 0..", maps);
        assertRefused("no such folder", temporary.resolve("nowhere"));
        TrainRuns.Outcome both = TrainRuns.run(arguments(maps, "--clip", "x"));
        assertThat(both.code()).as(both.err()).isEqualTo(2);
    }

    private String[] arguments(Path maps, String... more) {
        List<String> arguments = new ArrayList<>(List.of("eval", "segmentation", "--predictions", maps.toString()));
        arguments.addAll(List.of("--data", temporary.toString(), "--set", temporary.resolve("set.yaml") + "", "--out"));
        arguments.add(temporary.resolve("out").toString());
        arguments.addAll(Arrays.asList(more));
        return arguments.toArray(String[]::new);
    }

    private void assertRefused(String part, Path maps) {
        TrainRuns.Outcome outcome = TrainRuns.run(arguments(maps));
        assertThat(outcome.code()).as(outcome.err()).isEqualTo(3);
        assertThat(outcome.err()).contains(part).hasLineCount(1);
    }
}
