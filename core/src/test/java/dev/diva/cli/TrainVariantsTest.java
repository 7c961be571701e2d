package dev.diva.cli;

import static dev.diva.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.data.ColorMode;
import dev.diva.data.Filter;
import dev.diva.data.PngFile;
import dev.diva.data.RasterImage;
import dev.diva.data.Resampler;
import dev.diva.engine.Tensors;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What recipes can change besides the numbers: which part learns, latents from disk, controls, signals. */
class TrainVariantsTest {
    private static final String Q_PROJ = "vision_model.encoder.layers.1.self_attn.q_proj";

    @TempDir
    private Path folder;

    private TrainRuns runs;

    @BeforeEach
    void prepare() {
        runs = new TrainRuns(folder);
    }

    /** The images of step 1 are read again, though those of step 2 have been prepared by then. */
    @Test
    void gradientThatOverflowsNamesTheTensorAndTheImagesOfItsStep() throws IOException {
        TrainRuns.Outcome outcome =
                runs.train("out", "--set", "shuffle=false", "--set", "train.lr=1e6", "--set", "train.maxGradNorm=null");
        assertThat(outcome.code()).isEqualTo(1);
        assertThat(outcome.err())
                .contains("gradient of vision_model.embeddings.class_embedding is not finite in step 1, images "
                        + runs.images().resolve("02.png") + ", " + runs.images().resolve("03.png") + "; ");
    }

    @Test
    void adaptersLearnAndAreMergedIntoTheirMatricesOnly() throws IOException {
        train("run", "--set", "trainable={mode: lora, rank: 2, alpha: 4, targets: [q_proj, fc1]}");
        Set<String> changed = changed("run");
        assertThat(changed).hasSize(6).allMatch(name -> name.endsWith("q_proj.weight") || name.endsWith("fc1.weight"));
        try (PointerScope scope = new PointerScope();
                SafetensorsFile masters = masters("run");
                SafetensorsFile result = clip("run")) {
            Tensor down = masters.read(Q_PROJ + ".lora_A.weight"); // [2, 32]
            Tensor up = masters.read(Q_PROJ + ".lora_B.weight"); // [32, 2]
            Tensor merged = original(Q_PROJ + ".weight").add(up.matmul(down).mul(new Scalar(4.0 / 2)));
            assertClose(result.read(Q_PROJ + ".weight"), merged, 0, 1e-7);
            assertThat(measures("run").path("towerChange").asDouble())
                    .isCloseTo(change(result, ""), within(1e-6))
                    .isPositive();
            assertThat(measures("run").path("towerChange/layer 01").asDouble())
                    .isCloseTo(change(result, "layers.1."), within(1e-6));
            assertThat(measures("run").path("towerChange/embeddings and head").asDouble())
                    .isZero();
        }
    }

    /** The base with the adapter is the result, also where only a share of the change is taken. */
    @Test
    void adaptersAreExportedAsPeftWritesThem() throws IOException {
        train("run", "--set", "trainable={mode: lora, rank: 2, alpha: 3, targets: [v_proj]}", "--set", "average=0.5");
        Path out = folder.resolve("adapter");
        String run = folder.resolve("run").toString();
        assertThat(TrainRuns.run("export", "--clip", run, "--to", "peft", "--out", out.toString())
                        .code())
                .isZero();
        try (PointerScope scope = new PointerScope();
                ClipCheckpoint adapted = ClipCheckpoint.open(out);
                SafetensorsFile result = clip("run")) {
            assertThat(changed("run")).isNotEmpty();
            for (TensorInfo info : result.tensors()) {
                assertClose(adapted.tensors().read(info.name()), result.read(info.name()), 0, 1e-6);
            }
        }
        train("full");
        TrainRuns.Outcome refused = TrainRuns.run(
                "export", "--clip", folder.resolve("full").toString(), "--to", "peft", "--out", folder + "/none");
        assertThat(refused.code()).isEqualTo(3);
        assertThat(refused.err()).contains("trainable.mode was lora");
    }

    private JsonNode measures(String run) throws IOException {
        List<String> lines = Files.readAllLines(folder.resolve(run).resolve("measures.jsonl"));
        return new ObjectMapper().readTree(lines.get(lines.size() - 1));
    }

    /** |w - w0| / |w0| of the tower's tensors with that in their names. */
    private double change(SafetensorsFile result, String part) {
        double difference = 0;
        double before = 0;
        for (TensorInfo info : result.tensors()) {
            if (info.name().startsWith("vis") && info.name().contains(part)) {
                float[] old = Tensors.toFloats(original(info.name()));
                float[] now = Tensors.toFloats(result.read(info.name()));
                for (int i = 0; i < old.length; i++) {
                    difference += Math.pow(now[i] - old[i], 2);
                    before += Math.pow(old[i], 2);
                }
            }
        }
        return Math.sqrt(difference / before);
    }

    @Test
    void lastBlocksLearnAloneWithWhatIsBehindThem() throws IOException {
        train("run", "--set", "trainable={mode: blocks, lastBlocks: 1}");
        assertThat(changed("run"))
                .isNotEmpty()
                .allMatch(name -> name.contains("layers.2.")
                        || name.startsWith("vision_model.post_layernorm")
                        || name.startsWith("visual_projection"));
    }

    @Test
    void firstStepsTrainTheProjectionAlone() throws IOException {
        train("run", "--set", "train.projectionSteps=2", "--set", "train.steps=2");
        assertThat(changed("run")).isEmpty();
        train("longer", "--set", "train.projectionSteps=2", "--set", "train.steps=3");
        assertThat(changed("longer")).hasSizeGreaterThan(50);
    }

    @Test
    void latentsFromDiskGiveTheSameLossesAndAreMadeOnce() throws IOException {
        Path cache = folder.resolve("latents");
        train("plain", "--crops", "2");
        TrainRuns.Outcome filled = TrainRuns.run(
                "cache",
                "--diffusion",
                Golden.model("sd21").toString(),
                "--images",
                runs.images().toString(),
                "--out",
                cache.toString(),
                "--crops",
                "2",
                "--set",
                "resolution=64",
                "--set",
                "threads=1",
                "--set",
                "precision=fp32",
                "--json");
        assertThat(filled.code()).as(filled.err()).isZero();
        assertThat(new ObjectMapper().readTree(filled.out()).path("made").asInt())
                .isEqualTo(8);
        long before = bytes(cache);
        train("cached", "--crops", "2", "--cache", cache.toString());
        assertThat(bytes(cache)).isEqualTo(before);
        assertThat(losses("cached")).isEqualTo(losses("plain"));
    }

    @Test
    void keptWeightsGiveTheSameLosses() throws IOException {
        Path kept = folder.resolve("weights");
        train("plain", "--set", "precision=bf16");
        for (String run : List.of("making", "mapping")) {
            train(run, "--set", "precision=bf16", "--weights-cache", kept.toString());
            assertThat(bytes(kept)).isPositive();
            assertThat(losses(run)).isEqualTo(losses("plain"));
        }
    }

    @Test
    void aWeightsCacheOfNoUseIsToldAndNothingElseChanges() throws IOException {
        train("plain", "--set", "precision=bf16");
        Path file = Files.createFile(folder.resolve("file"));
        TrainRuns.Outcome told = runs.train("told", "--set", "precision=bf16", "--weights-cache", file.toString());
        assertThat(told.code()).as(told.err()).isZero();
        assertThat(told.err()).contains("weights cache " + file + " is not used: the folder cannot be written");
        assertThat(losses("told")).isEqualTo(losses("plain"));
    }

    @Test
    void trainingFillsTheCacheItself() throws IOException {
        Path cache = folder.resolve("latents");
        train("first", "--crops", "1", "--cache", cache.toString());
        assertThat(bytes(cache)).isPositive();
        long before = bytes(cache);
        train("second", "--crops", "1", "--cache", cache.toString());
        assertThat(bytes(cache)).isEqualTo(before);
        assertThat(losses("second")).isEqualTo(losses("first"));
    }

    @Test
    void latentsOfOtherImagesAreAnotherLoss() throws IOException {
        train("own");
        train("shuffled", "--set", "latents=shuffled");
        assertThat(losses("shuffled")).hasSameSizeAs(losses("own")).isNotEqualTo(losses("own"));
    }

    @Test
    void guardKeepsTheEmbeddingNearer() throws IOException {
        train("free", "--set", "train.steps=6");
        train("guarded", "--set", "train.steps=6", "--set", "guard.weight=100");
        assertThat(distance("guarded")).isLessThan(distance("free"));
        double[] guards = Files.readAllLines(folder.resolve("guarded/metrics.jsonl")).stream()
                .mapToDouble(line -> Double.parseDouble(line.replaceAll(".*\"guard\":([^,]+),.*", "$1")))
                .toArray();
        assertThat(guards).hasSize(6);
        assertThat(guards[0]).isCloseTo(0, within(1e-4)); // 100 x rounding of a cosine of 1
        assertThat(guards[5]).isGreaterThan(guards[0]);
        assertThat(Files.readString(folder.resolve("free/metrics.jsonl"))).doesNotContain("guard");
    }

    @Test
    void heldOutScoresAreWrittenAndTheBestModelKept() throws IOException {
        String mmvp = Golden.model("mmvp-vlm/MMVP_VLM").toString();
        train("run", "--set", "eval={mmvp: " + mmvp + ", every: 1}");
        double best = Double.NEGATIVE_INFINITY;
        for (String name : List.of("step-00000001", "step-00000002", "step-00000003")) {
            best = Math.max(best, average("run/evaluations/" + name + ".json"));
        }
        JsonNode score = new ObjectMapper().readTree(Files.readAllBytes(folder.resolve("run/best/score.json")));
        assertThat(score.path("score").asDouble()).isEqualTo(best);
        assertThat(folder.resolve("run/best/clip/model.safetensors")).exists();
        assertThat(average("run/evaluations/after.json")).isEqualTo(average("run/evaluations/step-00000003.json"));
        TrainRuns.Outcome before = TrainRuns.run(
                "eval", "mmvp", "--clip", Golden.model("clip-hf-vit").toString(), "--data", mmvp, "--json");
        JsonNode expected = new ObjectMapper().readTree(before.out());
        JsonNode record =
                new ObjectMapper().readTree(Files.readAllBytes(folder.resolve("run/evaluations/before.json")));
        assertThat(record.path("precision").asText())
                .isEqualTo(expected.path("precision").asText())
                .isEqualTo("fp32");
        assertThat(average("run/evaluations/before.json"))
                .isEqualTo(expected.path("results")
                        .get(0)
                        .path("metrics")
                        .path("average")
                        .asDouble());
    }

    /** The teacher sees the same squares of pictures and of what they are squashed to; only the tower can tell them apart. */
    @Test
    void aNaflexLearnsFromPicturesAtTheirOwnRatio() throws IOException {
        Path wide = Files.createDirectory(folder.resolve("wide"));
        Path square = Files.createDirectory(folder.resolve("square"));
        for (int i = 1; i <= 2; i++) {
            byte[] samples = new byte[3 * 80 * 40];
            new Random(i).nextBytes(samples);
            RasterImage image = RasterImage.of(ColorMode.RGB, 80, 40, samples);
            Files.write(wide.resolve(i + ".png"), PngFile.bytes(image));
            Files.write(square.resolve(i + ".png"), PngFile.bytes(Resampler.resize(image, 64, 64, Filter.BICUBIC)));
        }
        trainNaflex(wide, "own");
        trainNaflex(square, "squashed");
        assertThat(firstLoss("own")).isNotEqualTo(firstLoss("squashed"));
        Set<String> changed = new TreeSet<>();
        try (PointerScope scope = new PointerScope();
                SafetensorsFile before = SafetensorsFile.open(Golden.model("siglip2-naflex/model.safetensors"));
                SafetensorsFile after = SafetensorsFile.open(folder.resolve("own/clip/model.safetensors"))) {
            for (TensorInfo info : before.tensors()) {
                if (!before.read(info.name()).to(torch.kFloat()).equal(after.read(info.name()))) {
                    changed.add(info.name());
                }
            }
        }
        assertThat(changed)
                .contains(
                        "vision_model.embeddings.patch_embedding.weight",
                        "vision_model.embeddings.position_embedding.weight")
                .allMatch(name -> name.startsWith("vision_model."));
        assertThat(Files.readString(folder.resolve("own/clip/config.json"))).contains("siglip2");
    }

    private void trainNaflex(Path images, String out) throws IOException {
        List<String> more = new ArrayList<>();
        for (String assignment : List.of(
                "clip=" + Golden.model("siglip2-naflex"),
                "images=[" + images + "]",
                "crop={scale: [1, 1], ratio: [0.1, 10]}",
                "train.batch=1",
                "train.accumulate=2",
                "train.steps=1")) {
            more.addAll(List.of("--set", assignment));
        }
        train(out, more.toArray(String[]::new));
    }

    private double firstLoss(String out) throws IOException {
        String line =
                Files.readAllLines(folder.resolve(out).resolve("metrics.jsonl")).get(0);
        return new ObjectMapper().readTree(line).path("loss").asDouble();
    }

    @ParameterizedTest
    @CsvSource({
        "train.batch=2, set train.batch: 1",
        "preset=dcr, dcr needs several",
        "latents=shuffled, latents: shuffled needs several",
        "feedback.pixels=published, feedback.pixels: corrected",
        "'recap={tokens: random, fraction: 0.5}', give recap.count",
        "recap.text=elementwise, set recap.text: mean"
    })
    void whatANaflexCannotBeToldIsRefused(String assignment, String words) throws IOException {
        String clip = Golden.model("siglip2-naflex").toString();
        List<String> more = new ArrayList<>(List.of("--set", "clip=" + clip, "--set", "train.batch=1"));
        more.addAll(
                assignment.startsWith("preset=")
                        ? List.of(
                                "--preset",
                                "dcr",
                                "--set",
                                "train.batch=2",
                                "--set",
                                "train.draws=1",
                                "--set",
                                "stage=1")
                        : List.of("--set", assignment));
        TrainRuns.Outcome outcome = runs.train("out", more.toArray(String[]::new));
        assertThat(outcome.code()).as(outcome.err()).isEqualTo(3);
        assertThat(outcome.err()).contains(words);
        assertThat(folder.resolve("out")).doesNotExist();
    }

    private double average(String file) throws IOException {
        return new ObjectMapper()
                .readTree(Files.readAllBytes(folder.resolve(file)))
                .path("results")
                .get(0)
                .path("metrics")
                .path("average")
                .asDouble();
    }

    /**
     * A step of this size that kept its activations would take over 1 MiB. Growth is the median of five times eight steps: what leaks adds
     * to each, what Java's heap and compiler take now and then adds to few.
     */
    @Test
    void memoryIsFlatOverManySteps() throws IOException {
        train("long", "--set", "train.steps=50", "--set", "train.lr=1e-4");
        List<String> lines = Files.readAllLines(folder.resolve("long/metrics.jsonl"));
        long[] growth = new long[5];
        for (int i = 0; i < growth.length; i++) {
            growth[i] = rss(lines.get(17 + 8 * i)) - rss(lines.get(9 + 8 * i));
        }
        assertThat(rss(lines.get(9))).isPositive();
        Arrays.sort(growth);
        assertThat(growth[2]).isLessThan(4L << 20);
    }

    private static long rss(String line) throws IOException {
        return new ObjectMapper().readTree(line).path("rssBytes").asLong();
    }

    private void train(String out, String... more) throws IOException {
        TrainRuns.Outcome outcome = runs.train(out, more);
        assertThat(outcome.code()).as(outcome.err()).isZero();
    }

    /** Tensors of the result that are not those of the input. */
    private Set<String> changed(String out) {
        Set<String> changed = new TreeSet<>();
        try (PointerScope scope = new PointerScope();
                SafetensorsFile result = clip(out)) {
            for (TensorInfo info : result.tensors()) {
                Tensor old = original(info.name());
                if (!result.read(info.name()).equal(old)) {
                    changed.add(info.name());
                }
            }
        }
        return changed;
    }

    /** One minus the cosine between embeddings of the result and the input, over the images. */
    private double distance(String out) throws IOException {
        Path after = encoded(folder.resolve(out), folder.resolve(out + ".safetensors"));
        Path before = encoded(Golden.model("clip-hf-vit"), folder.resolve(out + "-before.safetensors"));
        try (PointerScope scope = new PointerScope();
                SafetensorsFile a = SafetensorsFile.open(after);
                SafetensorsFile b = SafetensorsFile.open(before)) {
            Tensor cosine = a.read("image_embeds").mul(b.read("image_embeds")).sum(-1);
            return 1 - Tensors.toFloats(cosine.mean())[0];
        }
    }

    private Path encoded(Path clip, Path file) throws IOException {
        TrainRuns.Outcome outcome = TrainRuns.run(
                "encode",
                "--clip",
                clip.toString(),
                "--images",
                runs.images().toString(),
                "--out",
                file.toString(),
                "--precision",
                "fp32");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return file;
    }

    private List<Double> losses(String out) throws IOException {
        List<Double> losses = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve(out).resolve("metrics.jsonl"))) {
            for (JsonNode loss : new ObjectMapper().readTree(line).path("losses")) {
                losses.add(loss.asDouble());
            }
        }
        return losses;
    }

    private static Tensor original(String name) {
        return GoldenClip.FILE.read(name).to(org.bytedeco.pytorch.global.torch.ScalarType.Float);
    }

    /** Stays mapped while the tests run. */
    private static final class GoldenClip {
        private static final SafetensorsFile FILE =
                SafetensorsFile.open(Golden.model("clip-hf-vit").resolve("model.safetensors"));
    }

    private SafetensorsFile clip(String out) {
        return SafetensorsFile.open(folder.resolve(out).resolve("clip/model.safetensors"));
    }

    private SafetensorsFile masters(String out) {
        return SafetensorsFile.open(folder.resolve(out).resolve("checkpoints/step-00000003/masters.safetensors"));
    }

    private static long bytes(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(path -> path.toFile().length())
                    .sum();
        }
    }

    @Test
    void aDryRunTakesOneStepAndWritesNothing() throws IOException {
        Path cache = folder.resolve("cache");
        TrainRuns.Outcome outcome = runs.train("run", "--dry-run", "--cache", cache.toString(), "--crops", "1");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.err()).contains("learns");
        assertThat(outcome.out()).contains("first step took").contains("nothing was written");
        assertThat(folder.resolve("run")).doesNotExist();
        assertThat(cache).doesNotExist();
        assertThat(runs.train("run", "--dry-run", "--resume").code()).isEqualTo(2);
    }
}
