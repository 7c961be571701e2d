package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.eval.segmentation.Layout;
import dev.diva.eval.segmentation.SegmentationSet;
import dev.diva.segment.SanCase;
import dev.diva.testing.Golden;
import dev.diva.testing.JavaProcess;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.jsoup.Jsoup;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code diva segment} and {@code diva eval segmentation} with a tiny SAN. */
@Tag("golden")
class SegmentationCommandTest {
    private static final SanCase LARGE = new SanCase("large");

    @TempDir
    private Path temporary;

    private String settings;
    private String err;

    @BeforeEach
    void writeSettings() {
        settings = LARGE.settings(temporary).toString();
    }

    private String run(int exitCode, String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter errors = new StringWriter();
        CommandLine command = Main.commandLine();
        command.setOut(new PrintWriter(out));
        command.setErr(new PrintWriter(errors));
        int code = Main.run(command, arguments);
        err = errors.toString();
        assertThat(code).as(err).isEqualTo(exitCode);
        return out.toString();
    }

    private String[] san(String... more) {
        return Stream.concat(
                        Stream.of(more),
                        Stream.of(
                                "--san",
                                LARGE.san().toString(),
                                "--clip",
                                LARGE.clip().toString(),
                                "--san-config",
                                settings))
                .toArray(String[]::new);
    }

    private static Path picture() {
        return SegmentationSet.open(Layout.named("pc59"), data()).pairs().get(0).image();
    }

    @Test
    void aPictureIsColouredWithALegend() throws IOException {
        Path out = temporary.resolve("out.png");
        String[] arguments = san(
                "segment",
                "--image",
                picture().toString(),
                "--classes",
                "cat, traffic light,grass",
                "--out",
                out.toString());
        List<String> lines = run(0, arguments).lines().toList();
        BufferedImage drawn = ImageIO.read(out.toFile());
        BufferedImage picture = ImageIO.read(picture().toFile());
        int zoom = Math.max(1, 160 / Math.max(picture.getWidth(), picture.getHeight()));
        assertThat(drawn.getHeight()).isEqualTo(zoom * picture.getHeight() + 20 * lines.size());
        assertThat(drawn.getRGB(zoom - 1, zoom - 1)).isEqualTo(drawn.getRGB(0, 0));
        double sum = lines.stream()
                .mapToDouble(line -> Double.parseDouble(line.strip().split(" ")[0]))
                .sum();
        assertThat(sum).isBetween(99.9, 100.1);
        run(3, arguments);
        assertThat(err).contains("is not replaced");
        run(3, san("segment", "--image", picture().toString(), "--classes", "cat,cat", "--out", temporary + "/b.png"));
        assertThat(err).contains("given twice");
    }

    @Test
    void aSetIsScoredAndAKilledRunGoesOn() throws IOException {
        Path out = temporary.resolve("scores");
        String[] arguments = san(
                "eval",
                "segmentation",
                "--data",
                data().toString(),
                "--set",
                "pc59",
                "--out",
                out.toString(),
                "--json");
        String whole = run(0, arguments);
        JsonNode metrics = new ObjectMapper().readTree(whole).at("/results/0/metrics");
        assertThat(metrics.path("miou").asDouble()).isBetween(0.0, 1.0);
        assertThat(metrics.path("miou_detectron2_v0.6").asDouble())
                .isLessThanOrEqualTo(metrics.path("miou").asDouble());
        Path counts;
        try (Stream<Path> files = Files.walk(out)) {
            counts = files.filter(file -> file.endsWith("pc59.jsonl"))
                    .findFirst()
                    .orElseThrow();
        }
        assertThat(Files.readAllLines(counts.resolveSibling("pc59-classes.csv")))
                .hasSize(60);
        List<String> lines = Files.readAllLines(counts);
        Files.writeString(
                counts, lines.get(0) + "\n" + lines.get(1) + "\n" + lines.get(2).substring(0, 9));
        assertThat(run(0, arguments)).isEqualTo(whole);
        assertThat(Files.readAllLines(counts)).isEqualTo(lines);
    }

    /** Pictures in colours for each model, a page of what changed, and pictures again where only counts are there. */
    @Test
    void picturesAreSavedAndThoseThatChangedMostAreShown() throws IOException {
        Path out = temporary.resolve("saved");
        String[] arguments = {
            "eval",
            "segmentation",
            "--method",
            "maskclip",
            "--clip",
            LARGE.clip().toString(),
            Golden.model("clip-hf-vit").toString(),
            "--data",
            data().toString(),
            "--set",
            "pc59",
            "--out",
            out.toString(),
            "--save"
        };
        String scores = run(0, arguments);
        List<Path> pictures = pictures(out);
        int count = SegmentationSet.open(Layout.named("pc59"), data()).pairs().size();
        assertThat(pictures).hasSize(3 * count); // of both models, and of the truth
        Path page = Path.of(err.lines()
                .filter(line -> line.startsWith("wrote "))
                .findFirst()
                .orElseThrow()
                .substring("wrote ".length()));
        assertThat(Files.readString(page)).contains("truth", "before", "after", "data:image/");
        Files.delete(pictures.get(0));
        assertThat(run(0, arguments)).isEqualTo(scores);
        assertThat(pictures(out)).isEqualTo(pictures);

        Path record = Files.writeString(temporary.resolve("saved.json"), run(0, with(arguments, "--json")));
        Path report = temporary.resolve("saved-report.html");
        run(0, "report", record.toString(), "--out", report.toString());
        assertThat(shown(report)).isEqualTo(shown(page)).isNotEmpty();
    }

    private static List<String> shown(Path page) throws IOException {
        return Jsoup.parse(Files.readString(page)).select(".gallery img").eachAttr("src");
    }

    private static List<Path> pictures(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".png"))
                    .sorted()
                    .toList();
        }
    }

    /** Own sets of one name: counts of the one are not those of the other. */
    @Test
    void anotherOwnSetOfTheNameIsRefusedWhereTheFirstWasScored() throws IOException {
        Layout pc59 = Layout.named("pc59");
        Path root = temporary.resolve("own");
        copy(data().resolve(pc59.images()), root.resolve("images"));
        copy(data().resolve(pc59.labels()), root.resolve("labels"));
        copy(data().resolve(pc59.labels()), root.resolve("others"));
        String classes = String.join("\", \"", pc59.classes());
        Path set = temporary.resolve("mine.yaml");
        String yaml = "name: mine\nimages: images\nlabels: labels\nignored: 255\nclasses: [\"" + classes + "\"]\n";
        Files.writeString(set, yaml);
        String[] scored = {"eval", "segmentation", "--data", root.toString(), "--set", set.toString(), "--limit", "1"};
        String[] model = san(with(scored, "--out", temporary.resolve("out").toString()));
        run(0, model);
        Files.writeString(set, yaml.replace("labels: labels", "labels: others"));
        run(3, model);
        assertThat(err).contains("mine.jsonl: holds counts of", "labels labels", "labels others", "another --out");
    }

    /** Label maps whose paths differ in what a name of a folder cannot have; what is there of other data's truth is not shown. */
    @Test
    void eachModelHasAFolderOfItsOwnAndTheTruthIsDrawnAnew() throws IOException {
        SegmentationSet.Pair pair =
                SegmentationSet.open(Layout.named("pc59"), data()).pairs().get(0);
        BufferedImage picture = ImageIO.read(pair.image().toFile());
        for (String name : List.of("pr+1", "pr_1")) {
            Path labels = Files.createDirectories(temporary.resolve(name)).resolve(pair.name() + ".png");
            BufferedImage map =
                    new BufferedImage(picture.getWidth(), picture.getHeight(), BufferedImage.TYPE_BYTE_GRAY);
            ImageIO.write(map, "png", labels.toFile());
        }
        Path out = temporary.resolve("out");
        String[] arguments = {
            "eval",
            "segmentation",
            "--data",
            data().toString(),
            "--set",
            "pc59",
            "--limit",
            "1",
            "--save",
            "--predictions",
            temporary + "/pr+1",
            temporary + "/pr_1",
            "--out",
            out.toString()
        };
        run(0, arguments);
        List<Path> pictures = pictures(out);
        assertThat(pictures).hasSize(3); // of both, and the truth
        Path truth = out.resolve("truth/pc59").resolve(pair.name() + ".png");
        byte[] drawn = Files.readAllBytes(truth);
        Files.write(truth, new byte[1]);
        run(0, arguments);
        assertThat(pictures(out)).isEqualTo(pictures);
        assertThat(Files.readAllBytes(truth)).isEqualTo(drawn);
    }

    @Test
    void twoProcessesScoreAsOne() throws IOException {
        String[] arguments = san("eval", "segmentation", "--data", data().toString(), "--set", "pc59", "--json");
        String one = run(0, with(arguments, "--out", temporary.resolve("one").toString()));
        Path out = temporary.resolve("two");
        JavaProcess shared = JavaProcess.start(
                temporary, Main.class, Map.of(), with(arguments, "--processes", "2", "--out", out.toString()));
        assertThat(shared.await(120)).as(shared.output()).isZero();
        assertThat(shared.output()).contains(one);
        try (Stream<Path> files = Files.walk(out)) {
            assertThat(files.filter(file -> file.toString().contains(".rank-"))).isEmpty();
        }
        assertThat(run(0, with(arguments, "--out", out.toString()))).isEqualTo(one); // all is counted
    }

    @Test
    void aSuiteTakesSetsToSegment() throws IOException {
        Path suite = Files.writeString(
                temporary.resolve("suite.yaml"),
                "models: [" + LARGE.clip() + "]\ndatasets:\n  - {name: pc59, data: " + data()
                        + ", tasks: [segmentation], limit: 2}\n");
        Path out = temporary.resolve("suite");
        String table = run(0, "eval", "all", "--suite", suite.toString(), "--out", out.toString());
        assertThat(table).contains("pc59 miou");
        assertThat(Files.readString(out.resolve("scores.csv"))).contains("miou,miou_low,miou_high", ",segmentation,");
        Files.writeString(suite, Files.readString(suite).replace("name: pc59", "name: pc60"));
        run(1, "eval", "all", "--suite", suite.toString(), "--out", out.toString());
        assertThat(err).contains("data set pc60 is not known; nearest: pc59");
    }

    private static String[] with(String[] arguments, String... more) {
        return Stream.concat(Stream.of(arguments), Stream.of(more)).toArray(String[]::new);
    }

    /** Layouts that the golden case has no scores for: labels in their own folders, pictures without labels beside. */
    @Test
    void vocAndCocoStuffAreFoundWhereDetectron2HasThem() throws IOException {
        Path root = temporary.resolve("sets");
        Path source = data().resolve("coco/train2017");
        Path labels = data().resolve("coco/stuffthingmaps_detectron2/train2017");
        copy(source, root.resolve("coco/val2017"));
        copy(labels, root.resolve("coco/stuffthingmaps_detectron2/val2017"));
        copy(source, root.resolve("VOC2012/JPEGImages"));
        Path voc = root.resolve("VOC2012/annotations_detectron2/val");
        copy(labels, voc);
        String[] arguments = san(
                "eval",
                "segmentation",
                "--data",
                root.toString(),
                "--set",
                "cocostuff171",
                "--limit",
                "1",
                "--out",
                temporary.resolve("scores").toString());
        assertThat(run(0, arguments)).contains("cocostuff171");
        arguments[5] = "voc20";
        run(3, arguments); // these labels are of 171 classes
        assertThat(err).contains("voc20 has 0..19 and 255 for what is ignored");
        try (Stream<Path> files = Files.list(voc)) {
            for (Path file : files.toList()) {
                BufferedImage map = ImageIO.read(file.toFile());
                BufferedImage few = new BufferedImage(map.getWidth(), map.getHeight(), BufferedImage.TYPE_BYTE_GRAY);
                for (int i = 0; i < map.getWidth() * map.getHeight(); i++) {
                    int label = map.getRaster().getSample(i % map.getWidth(), i / map.getWidth(), 0);
                    few.getRaster()
                            .setSample(i % map.getWidth(), i / map.getWidth(), 0, label == 255 ? 255 : label % 20);
                }
                ImageIO.write(few, "png", file.toFile());
            }
        }
        assertThat(run(0, arguments)).contains("voc20");
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    @Test
    void maskClipNeedsNoSanAndWorksForSiglip() {
        String scores = run(
                0,
                "eval",
                "segmentation",
                "--method",
                "maskclip",
                "--clip",
                LARGE.clip().toString(),
                LARGE.clip().toString(),
                "--data",
                data().toString(),
                "--set",
                "pc59",
                "--limit",
                "1",
                "--out",
                temporary.resolve("scores").toString());
        assertThat(scores).contains("miou_minus_first");
        run(
                0,
                "segment",
                "--method",
                "maskclip",
                "--clip",
                Golden.path("siglip-hf").toString(),
                "--image",
                picture().toString(),
                "--classes",
                "cat, dog",
                "--out",
                temporary + "/d.png");
        run(2, san("segment", "--method", "maskclip", "--image", "x", "--classes", "cat", "--out", "y"));
        run(
                3,
                "segment",
                "--clip",
                Golden.path("siglip-hf").toString(),
                "--san",
                LARGE.san().toString(),
                "--image",
                picture().toString(),
                "--classes",
                "cat",
                "--out",
                temporary + "/c.png");
        assertThat(err).contains("SigLIP");
    }

    private static Path data() {
        return Golden.path("san-data").resolve("datasets");
    }
}
