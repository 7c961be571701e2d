package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.eval.segmentation.Layout;
import dev.diva.eval.segmentation.SegmentationSet;
import dev.diva.segment.SanCase;
import dev.diva.testing.Golden;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
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
        assertThat(drawn.getHeight()).isEqualTo(picture.getHeight() + 20 * lines.size());
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
