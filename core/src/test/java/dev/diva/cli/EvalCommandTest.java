package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.testing.Golden;
import dev.diva.testing.Rasters;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class EvalCommandTest {
    private final String clip = Golden.path("clip-hf-vit").toString();

    private static String run(String... arguments) {
        StringWriter out = new StringWriter();
        CommandLine command = new CommandLine(new EvalCommand());
        command.setOut(new PrintWriter(out));
        assertThat(command.execute(arguments)).isZero();
        return out.toString();
    }

    @Tag("golden")
    @Test
    void twoModelsOnPairsGiveTheirScoresAndTheExactTest() throws IOException {
        String data = Golden.path("mmvp-vlm/MMVP_VLM").toString();
        JsonNode json = new ObjectMapper().readTree(run("mmvp", "--clip", clip, clip, "--data", data, "--json"));
        assertThat(json.at("/results").size()).isEqualTo(2);
        assertThat(json.at("/results/0/pairs").asInt())
                .isEqualTo(json.at("/results/0/questions").size());
        assertThat(json.at("/tests/0/p").asDouble()).isEqualTo(1);
    }

    @Tag("golden")
    @Test
    void zeroShotPrintsTheAccuracyInPercent() {
        assertThat(run(
                        "zeroshot",
                        "--clip",
                        clip,
                        "--data",
                        Golden.path("zeroshot/classification").toString()))
                .contains("acc1", "mean_per_class_recall", "%");
    }

    @Tag("golden")
    @Test
    void retrievalPrintsEveryK() {
        String data = Golden.path("zeroshot/retrieval").toString();
        assertThat(run("retrieval", "--clip", clip, "--data", data, "--recall-k", "1,5"))
                .contains("image_retrieval_recall@1", "text_retrieval_recall@5");
    }

    /** CLIP prepares images and logits its own way, SigLIP its own: together each gets what it gets alone. */
    @Tag("golden")
    @Test
    void twoFamiliesInOneCallScoreAsAlone() throws IOException {
        String siglip = Golden.path("siglip-hf").toString();
        String data = Golden.path("zeroshot/classification").toString();
        ObjectMapper json = new ObjectMapper();
        JsonNode both = json.readTree(run("zeroshot", "--clip", clip, siglip, "--data", data, "--json"));
        JsonNode first = json.readTree(run("zeroshot", "--clip", clip, "--data", data, "--json"));
        JsonNode second = json.readTree(run("zeroshot", "--clip", siglip, "--data", data, "--json"));
        assertThat(both.at("/results/0")).isEqualTo(first.at("/results/0"));
        assertThat(both.at("/results/1")).isEqualTo(second.at("/results/0"));
        assertThat(both.at("/tests/0/second").asText()).isEqualTo(siglip);
    }

    @Test
    void samplesClassesAndTableAddUpToTheScore(@TempDir Path folder) throws IOException {
        ObjectMapper json = new ObjectMapper();
        String data = Golden.resource("zeroshot").file("classification").toString();
        Path samples = folder.resolve("s.jsonl");
        Path table = folder.resolve("t.csv");
        String printed = run(
                "zeroshot",
                "--clip",
                clip,
                "--data",
                data,
                "--json",
                "--limit",
                "20",
                "--samples",
                samples.toString(),
                "--csv",
                table.toString());
        JsonNode result = json.readTree(printed).at("/results/0");
        int correct = 0;
        for (String line : Files.readAllLines(samples)) {
            JsonNode sample = json.readTree(line);
            assertThat(sample.path("correct").asBoolean())
                    .isEqualTo(sample.path("class").equals(sample.path("predicted")))
                    .isEqualTo(sample.path("rank").asInt() == 0);
            correct += sample.path("correct").asBoolean() ? 1 : 0;
        }
        assertThat(Files.readAllLines(samples)).hasSize(20);
        assertThat(result.at("/metrics/acc1").asDouble()).isEqualTo(correct / 20.0);
        int images = 0;
        int right = 0;
        for (JsonNode one : result.path("classes")) {
            images += one.path("images").asInt();
            right += one.path("correct").asInt();
        }
        assertThat(List.of(images, right)).containsExactly(20, correct);
        assertThat(result.path("warnings").toString()).contains("the first 20 images only");
        assertThat(Files.readAllLines(table)).hasSize(2);
        assertThat(Files.readString(table)).contains("acc1").contains("the first 20 images only");

        String pairs = Golden.resource("mmvp-vlm").file("MMVP_VLM").toString();
        run(
                "mmvp",
                "--clip",
                clip,
                "--data",
                pairs,
                "--limit",
                "3",
                "--samples",
                folder.resolve("m.jsonl").toString());
        assertThat(Files.readAllLines(folder.resolve("m.jsonl"))).hasSize(3);
    }

    /** Known before anything is computed: there is no model of that name either. */
    @Test
    void whatIsThereIsNotWrittenAndThatIsToldFirst(@TempDir Path folder) throws IOException {
        Path there = Files.writeString(folder.resolve("there"), "mine");
        String data = Golden.resource("zeroshot").file("classification").toString();
        for (String option : List.of("--samples", "--csv")) {
            StringWriter err = new StringWriter();
            int code = Main.commandLine()
                    .setErr(new PrintWriter(err))
                    .execute("eval", "zeroshot", "--clip", folder + "/none", "--data", data, option, there.toString());
            assertThat(code).isEqualTo(ExitCodes.BAD_INPUT);
            assertThat(err.toString().strip())
                    .isEqualTo("diva: " + there + ": exists; give another " + option + " or remove it");
        }
        assertThat(there).hasContent("mine");
    }

    @Test
    void emptySetIsBadInputInOneLine(@TempDir Path folder) throws IOException {
        Files.createDirectories(folder.resolve("test/cat"));
        StringWriter err = new StringWriter();
        int code = Main.commandLine()
                .setErr(new PrintWriter(err))
                .execute("eval", "zeroshot", "--clip", clip, "--data", folder.toString());
        assertThat(code).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(err.toString().lines()).hasSize(1);
        assertThat(err.toString()).contains(folder.toString());
    }

    @Test
    void galleryOfMinedPairsTellsTheThresholdsOfTheCall(@TempDir Path folder) throws IOException {
        Path images = Files.createDirectory(folder.resolve("images"));
        try (PointerScope scope = new PointerScope()) {
            Rasters.write(Rasters.of(Golden.resource("diva-corrected").input("images_u8")), images);
        }
        Path out = folder.resolve("pairs");
        StringWriter err = new StringWriter();
        int code = Main.commandLine()
                .setOut(new PrintWriter(new StringWriter()))
                .setErr(new PrintWriter(err))
                .execute(
                        "mine",
                        "--clip",
                        Golden.model("clip-hf-vit").toString(),
                        "--dino",
                        Golden.model("dinov2").toString(),
                        "--images",
                        images.toString(),
                        "--out",
                        out.toString(),
                        "--clip-above=-0.25",
                        "--dino-below=1.5");
        assertThat(code).as(err.toString()).isZero();
        assertThat(Files.readString(out.resolve("gallery.html"))).contains("cosine above -0.25", "below 1.5");
        assertThat(Files.readAllLines(out.resolve("Questions.csv"))).hasSize(5); // a header and two pairs
    }
}
