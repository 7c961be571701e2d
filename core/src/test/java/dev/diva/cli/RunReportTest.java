package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.clip.Clip;
import dev.diva.clip.VisionTokens;
import dev.diva.data.ImageDecoder;
import dev.diva.data.RasterImage;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.report.ReportWriter;
import dev.diva.segment.HeatMap;
import dev.diva.segment.MaskClip;
import dev.diva.testing.Golden;
import dev.diva.testing.Rasters;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Offset;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A short run with scores, and its page: the scores are those of diva eval, the paintings those of a plain computation. */
class RunReportTest {
    private static final String CLIP = Golden.model("clip-hf-vit").toString();
    private static final Path TEACHER = Golden.model("sd21");
    private static final String PAIRS = Golden.model("mmvp-vlm/MMVP_VLM").toString();
    private static final int STEPS = 3;
    private static final long SEED = 7;

    @TempDir
    private static Path folder;

    private static Path run;
    private static String trained; // what the command said
    private static RasterImage image; // the first of the run, a square of the recipe's resolution

    @BeforeAll
    static void train() throws IOException {
        run = folder.resolve("run");
        Path images = Files.createDirectory(folder.resolve("images"));
        Files.writeString(images.resolve("00-broken.png"), "not an image");
        try (PointerScope scope = new PointerScope()) {
            var rasters = Rasters.of(Golden.resource("diva-corrected").input("images_u8"));
            Rasters.write(rasters, images);
            image = rasters.get(0);
        }
        String resolution = String.valueOf(image.width());
        trained = diva(
                "train",
                "--clip",
                CLIP,
                "--diffusion",
                TEACHER.toString(),
                "--images",
                images.toString(),
                "--out",
                run.toString(),
                "--set",
                "resolution=" + resolution,
                "--set",
                "precision=fp32",
                "--set",
                "train={steps: 2, batch: 2, accumulate: 1, lr: 0.05, warmupSteps: 0}",
                "--set",
                "seed=" + SEED,
                "--set",
                "eval.mmvp=" + PAIRS,
                "--set",
                "maxBadShare=0.5");
    }

    private static String diva(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
        assertThat(code).as(err.toString()).isZero();
        return out.toString();
    }

    private static JsonNode scores(String clip) throws IOException {
        return new ObjectMapper().readTree(diva("eval", "mmvp", "--clip", clip, "--data", PAIRS, "--json"));
    }

    @Test
    void beforeAndAfterAreTheScoresOfDivaEval() throws IOException {
        ObjectMapper json = new ObjectMapper();
        String result = run.resolve("clip").toString();
        JsonNode before = json.readTree(run.resolve("evaluations/before.json").toFile());
        JsonNode after = json.readTree(run.resolve("evaluations/after.json").toFile());
        assertThat(before.path("precision").asText()).isEqualTo("fp32");
        assertThat(before).isEqualTo(scores(CLIP));
        assertThat(after).isEqualTo(scores(result));
        assertThat(after.at("/results/0/questions/0/margins"))
                .isNotEqualTo(before.at("/results/0/questions/0/margins"));
    }

    @Test
    void paintingsAreThoseOfAPlainComputation() throws IOException {
        String page = diva("report", run.toString(), "--diffusion", TEACHER.toString(), "--paint", "2", "--steps", "3")
                .strip();
        assertThat(Files.readString(Path.of(page))).contains("What this CLIP sees", "00.png", "01.png");
        Path painted = run.resolve("reconstructions");
        JsonNode items = new ObjectMapper()
                .readTree(painted.resolve("index.json").toFile())
                .path("items");
        assertThat(items).hasSize(2);
        JsonNode item = items.get(0);
        assertThat(pixels(painted.resolve(item.path("image").asText()))).isEqualTo(image.samples());
        byte[] before = Files.readAllBytes(painted.resolve(item.path("before").asText()));
        assertNear(pixels(painted.resolve(item.path("before").asText())), plain(Path.of(CLIP)));
        assertNear(pixels(painted.resolve(item.path("after").asText())), plain(run.resolve("clip")));
        diva("report", run.toString(), "--diffusion", TEACHER.toString(), "--paint", "1", "--steps", "3");
        assertThat(Files.readAllBytes(painted.resolve("0-before.png"))).isEqualTo(before);
        assertThat(painted.resolve("1-before.png")).doesNotExist();
    }

    @Test
    void imagesOfFlippedPairsAreTheOnesThatAreAnsweredOtherwise() throws IOException {
        // The same record, with the third and the fifth pair answered the other way after training.
        Path copy = Files.createDirectory(folder.resolve("flipped"));
        ObjectMapper json = new ObjectMapper();
        JsonNode record = json.readTree(run.resolve("evaluations/before.json").toFile());
        Files.createDirectory(copy.resolve("evaluations"));
        json.writeValue(copy.resolve("evaluations/before.json").toFile(), record);
        List<String> expected = new ArrayList<>();
        JsonNode questions = record.at("/results/0/questions");
        for (int i : new int[] {2, 4}) {
            ObjectNode question = (ObjectNode) questions.get(i);
            question.put("correct", !question.path("correct").asBoolean());
            question.path("images")
                    .forEach(name ->
                            expected.add(Path.of(PAIRS).resolve(name.asText()).toString()));
        }
        json.writeValue(copy.resolve("evaluations/after.json").toFile(), record);
        assertThat(ReportWriter.flippedImages(copy))
                .extracting(Path::toString)
                .containsExactlyInAnyOrderElementsOf(expected)
                .hasSize(4);
    }

    /** One pair is made to flip; the drawing of its first side is that of the cosines with its statement, by hand. */
    @Test
    void heatMapsShowTheCosinesOfPatchesWithTheStatement() throws IOException {
        Path copy = folder.resolve("heat");
        Files.createDirectories(copy.resolve("evaluations"));
        Files.copy(run.resolve("recipe.yaml"), copy.resolve("recipe.yaml"));
        Files.createSymbolicLink(copy.resolve("clip"), run.resolve("clip"));
        ObjectMapper json = new ObjectMapper();
        JsonNode record = json.readTree(run.resolve("evaluations/before.json").toFile());
        json.writeValue(copy.resolve("evaluations/before.json").toFile(), record);
        ObjectNode question = (ObjectNode) record.at("/results/0/questions/2");
        question.put("correct", !question.path("correct").asBoolean());
        json.writeValue(copy.resolve("evaluations/after.json").toFile(), record);
        String page = diva("report", copy.toString(), "--heatmaps", "3").strip();
        assertThat(Files.readString(Path.of(page)))
                .contains(
                        "Where this CLIP sees the statements",
                        "Pair " + question.path("id").asText());
        JsonNode items =
                json.readTree(copy.resolve("heatmaps/index.json").toFile()).path("items");
        assertThat(items).hasSize(2);
        RasterImage picture = ImageDecoder.reference()
                .decode(
                        Files.readAllBytes(Path.of(PAIRS)
                                .resolve(question.path("images").get(0).asText())),
                        "picture")
                .toRgb();
        HeatMap before = map(Path.of(CLIP), question.path("statements").get(0).asText(), picture);
        HeatMap after =
                map(run.resolve("clip"), question.path("statements").get(0).asText(), picture);
        assertThat(before.cosines()).hasSize(before.rows() * before.columns()).isNotEqualTo(after.cosines());
        double low = Math.min(before.least(), after.least());
        double high = Math.max(before.most(), after.most());
        assertThat(pixels(copy.resolve("heatmaps/0-before.png")))
                .isEqualTo(before.draw(picture, low, high).samples());
        assertThat(pixels(copy.resolve("heatmaps/0-after.png")))
                .isEqualTo(after.draw(picture, low, high).samples());
    }

    private static HeatMap map(Path model, String statement, RasterImage picture) {
        try (Clip clip = Clip.load(model)) {
            return new MaskClip(clip, clip.embed(List.of(statement))).maps(picture)[0];
        }
    }

    @Test
    void scoresAndRatesAreRecordedBesideTheSteps() throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<JsonNode> scores = new ArrayList<>();
        for (String line : Files.readAllLines(run.resolve("measures.jsonl"))) {
            if (json.readTree(line).has("score")) {
                scores.add(json.readTree(line));
            }
        }
        assertThat(scores).hasSize(2);
        for (int i = 0; i < 2; i++) {
            JsonNode record = json.readTree(run.resolve(i == 0 ? "evaluations/before.json" : "evaluations/after.json")
                    .toFile());
            assertThat(scores.get(i).path("step").asInt()).isEqualTo(2 * i);
            assertThat(scores.get(i).path("score")).isEqualTo(record.at("/results/0/metrics/average"));
        }
        String step = Files.readAllLines(run.resolve("metrics.jsonl")).get(0);
        assertThat(json.readTree(step).path("lr/visual_proj").asDouble()).isEqualTo(0.05);
        assertThat(trained).contains("loss ", "first and last of steps 0 to 1");
        String page = diva("report", run.toString()).strip();
        assertThat(Files.readString(Path.of(page)))
                .contains("Held-out score", "Learning rate of the projection", "Change of the tower");
    }

    private static byte[] pixels(Path png) throws IOException {
        return ImageDecoder.reference()
                .decode(Files.readAllBytes(png), png.toString())
                .samples();
    }

    private static void assertNear(byte[] actual, byte[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i] & 0xff).as("byte %d", i).isCloseTo(expected[i] & 0xff, Offset.offset(1));
        }
    }

    /** The first image painted from 1 + 76 tokens, token by token beside the prompt, with eta 0. */
    private static byte[] plain(Path clip) {
        Placement cpu = Placement.cpu(Precision.FP32);
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Clip model = Clip.load(clip);
                DiffusionModel teacher = DiffusionModel.load(TEACHER, cpu);
                var projection = dev.diva.checkpoint.SafetensorsFile.open(run.resolve("projection.safetensors"))) {
            Generator generator = new RandomStreams(SEED).stream("reconstruction");
            long side = image.width() / teacher.autoencoder().downscale();
            Tensor z = RandomStreams.randn(generator, 1, 4, side, side);
            int size = Math.toIntExact(model.config().vision().imageSize());
            Tensor pixels = Tensors.of(model.preprocessing().pixels(image), 1, 3, size, size);
            VisionTokens tokens = model.visionTower().tokens(model.visionTower().encode(pixels));
            Tensor chosen = RandomStreams.randint(generator, tokens.patches().size(1), 76);
            Tensor recap = torch.cat(
                    new TensorVector(
                            tokens.pooled(), tokens.patches().select(0, 0).index_select(0, chosen)),
                    0);
            Tensor condition = recap.matmul(projection.read("weight").t())
                    .add(projection.read("bias"))
                    .unsqueeze(0)
                    .add(teacher.encodePrompt("a photo of a ."));
            int[] timesteps = {999, 666, 332};
            for (int i = 0; i < STEPS; i++) {
                double abar = teacher.schedule().alphaCumprod(timesteps[i]);
                double next = i + 1 < STEPS ? teacher.schedule().alphaCumprod(timesteps[i + 1]) : 1;
                Tensor eps = teacher.denoiser().predict(z, Tensors.of(new long[] {timesteps[i]}, 1), condition);
                Tensor z0 = z.sub(eps.mul(new Scalar(Math.sqrt(1 - abar)))).div(new Scalar(Math.sqrt(abar)));
                z = z0.mul(new Scalar(Math.sqrt(next))).add(eps.mul(new Scalar(Math.sqrt(1 - next))));
            }
            float[] values = Tensors.toFloats(teacher.autoencoder()
                    .decode(z)
                    .select(0, 0)
                    .permute(1, 2, 0)
                    .clamp(
                            new org.bytedeco.pytorch.ScalarOptional(new Scalar(-1)),
                            new org.bytedeco.pytorch.ScalarOptional(new Scalar(1))));
            byte[] bytes = new byte[values.length];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) Math.round((values[i] + 1) / 2 * 255);
            }
            return bytes;
        }
    }
}
