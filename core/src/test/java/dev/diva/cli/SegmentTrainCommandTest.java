package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.KeyFile;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.engine.ProcessGroup;
import dev.diva.segment.train.SanRecipe;
import dev.diva.segment.train.SanTraining;
import dev.diva.testing.Golden;
import dev.diva.testing.JavaProcess;
import dev.diva.train.Launch;
import dev.diva.train.RecipeKeys;
import dev.diva.train.StepRecord;
import dev.diva.train.TrainListener;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code diva segment train} on a tiny CLIP and a few pictures. */
class SegmentTrainCommandTest {
    private static final Path CLIP = Golden.model("san-forward").resolve("large");

    @TempDir
    private Path temporary;

    private Path recipe;
    private Path data;
    private Path clip = CLIP;

    @BeforeEach
    void writeRecipe() throws IOException {
        data = Golden.model("san-data").resolve("datasets");
        recipe = Files.writeString(temporary.resolve("tiny.yaml"), """
                san: {clipResolution: 0.7, sideHeads: 3, fusion: {0: 0, 1: 2, 2: 4}, recognitionLayer: 4, width: 12,
                  blocks: 2, mlp: 24, queries: 7, decoderWidth: 8, decoderHidden: 8}
                crop: 48
                shortEdges: [40, 64]
                longEdge: 256
                shortEdge: 64
                points: 20
                threads: 1
                precision: fp32
                train: {steps: 4, batch: 1, accumulate: 2, lr: 1.0e-3}
                checkpoint: {every: 2}
                """);
    }

    private String[] arguments(Path out, String... more) {
        List<String> arguments = new ArrayList<>(List.of("segment", "train", recipe.toString()));
        arguments.addAll(List.of("--clip", clip.toString(), "--data", data.toString(), "--out", out.toString()));
        arguments.addAll(Arrays.asList(more));
        return arguments.toArray(String[]::new);
    }

    private TrainRuns.Outcome train(Path out, String... more) {
        return TrainRuns.run(arguments(out, more));
    }

    private static byte[] result(Path run) throws IOException {
        return Files.readAllBytes(run.resolve("san/model.safetensors"));
    }

    private void assertRefused(String part, String... more) {
        Path out = temporary.resolve("refused");
        TrainRuns.Outcome outcome = train(out, more);
        assertThat(outcome.code()).as(outcome.err()).isEqualTo(3);
        assertThat(outcome.err()).contains(part).hasLineCount(1);
        assertThat(out).doesNotExist();
    }

    @Test
    void aRunIsStoppedAndGoesOnToTheSameBitsAndItsSanIsUsed() throws IOException {
        Path straight = temporary.resolve("straight");
        assertThat(train(straight).code()).isZero();
        Path stopped = temporary.resolve("stopped");
        RecipeKeys keys = SanRecipe.published()
                .with(KeyFile.read(recipe), "test")
                .with(RecipeKeys.assignment("clip=" + CLIP), "test")
                .with(RecipeKeys.assignment("data=" + data), "test");
        Launch launch = new Launch(stopped, false, List.of(), List.of());
        try (SanTraining run = SanTraining.open(keys, launch, ProcessGroup.single())) {
            TrainListener stopping = new TrainListener() {
                @Override
                public void stepDone(StepRecord step) {
                    run.stop();
                }
            };
            assertThat(run.train(stopping)).isEqualTo(TrainListener.Outcome.RESUMABLE);
        }
        TrainRuns.Outcome early = use(stopped, "early.png");
        assertThat(early.code()).isEqualTo(3);
        assertThat(early.err()).contains("is not finished", "segment train --resume");
        TrainRuns.Outcome rest = TrainRuns.run("segment", "train", "--resume", "--out", stopped.toString(), "--json");
        assertThat(rest.code()).as(rest.err()).isZero();
        assertThat(new ObjectMapper().readTree(rest.out()).path("outcome").asText())
                .isEqualTo("done");
        assertThat(result(stopped)).isEqualTo(result(straight));
        TrainRuns.Outcome used = use(straight, "used.png");
        assertThat(used.code()).as(used.err()).isZero();
        TrainRuns.Outcome other = train(straight, "--resume", "--seed", "7");
        assertThat(other.err()).contains("seed: 42, now 7");
    }

    /** The CLIP of the run is found; another is refused with both names. */
    private TrainRuns.Outcome use(Path run, String out) {
        String picture =
                data.resolve("pcontext/val/image").toFile().listFiles()[0].toString();
        return TrainRuns.run(
                "segment",
                "--san",
                run.toString(),
                "--image",
                picture,
                "--classes",
                "cat,grass",
                "--out",
                temporary.resolve(out).toString());
    }

    @Test
    void twoProcessesGiveTheBitsOfOne() throws IOException {
        Path one = temporary.resolve("one");
        assertThat(train(one, "--set", "train.steps=2").code()).isZero();
        Path two = temporary.resolve("two");
        JavaProcess run = JavaProcess.start(
                temporary, Main.class, Map.of(), arguments(two, "--set", "train.steps=2", "--processes", "2"));
        assertThat(run.await(120)).as(run.output()).isZero();
        assertThat(result(two)).isEqualTo(result(one));
        TrainRuns.Outcome split = train(temporary.resolve("three"), "--set", "train.accumulate=1", "--processes", "1");
        assertThat(split.code()).isZero();
    }

    /** The numbers that CLIP's file holds, not those that it computes with. */
    @Test
    void frozenPositionsStayAsTheyAreStored() {
        Path run = temporary.resolve("run");
        assertThat(train(run, "--freeze-positions", "--set", "precision=bf16", "--set", "train.steps=1")
                        .code())
                .isZero();
        try (PointerScope scope = new PointerScope();
                TensorSource san = TensorFile.open(run.resolve("san/model.safetensors"));
                TensorSource clip = TensorFile.open(CLIP.resolve("open_clip_model.safetensors"))) {
            Tensor stored = clip.read("visual.positional_embedding");
            assertThat(san.read("clip_visual_extractor.positional_embedding").equal(stored))
                    .isTrue();
        }
    }

    @Test
    void aStartWithABrokenTensorIsRefusedByItsNameAndARateThatIsTooHighStops() throws IOException {
        Path sound = temporary.resolve("sound");
        assertThat(train(sound, "--set", "train.steps=1").code()).isZero();
        Path start = temporary.resolve("broken.safetensors");
        String broken = "side_adapter_network.query_embed";
        try (PointerScope scope = new PointerScope();
                TensorSource san = TensorFile.open(sound.resolve("san/model.safetensors"))) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            san.tensors()
                    .forEach(info ->
                            tensors.put(info.name(), san.read(info.name()).clone()));
            tensors.get(broken).view(-1).narrow(0, 0, 1).fill_(new Scalar(Double.NaN));
            SafetensorsWriter.write(start, tensors, Map.of());
        }
        TrainRuns.Outcome named = train(temporary.resolve("named"), "--start", start.toString());
        assertThat(named.code()).isEqualTo(3);
        assertThat(named.err()).contains("broken.safetensors: " + broken, "NaN");
        TrainRuns.Outcome stopped =
                train(temporary.resolve("stopped"), "--set", "train.lr=1.0e+6", "--set", "train.maxGradNorm=null");
        assertThat(stopped.code()).isEqualTo(1);
        assertThat(stopped.err()).contains("is NaN in step", "lower rate");
    }

    /** What CLIP sees in fixed crops is read from disk to the same bits, and CLIP does not run. */
    @Test
    void frozenPositionsAndTheirCacheGiveTheSameBits() throws IOException {
        Path cache = temporary.resolve("cache");
        String[] frozen = {"--freeze-positions", "--crops", "1", "--cache", cache.toString()};
        assertThat(train(temporary.resolve("filling"), frozen).code()).isZero();
        Path again = temporary.resolve("again");
        assertThat(train(again, frozen).code()).isZero();
        assertThat(result(again)).isEqualTo(result(temporary.resolve("filling")));
        Path none = temporary.resolve("none");
        assertThat(train(none, "--freeze-positions", "--crops", "1", "--set", "train.batch=1")
                        .code())
                .isZero();
        assertThat(result(none)).isEqualTo(result(again));
        assertRefused("cache is useless", "--cache", cache.toString());
    }

    /** A dry run refuses what the run would, though it keeps nothing. */
    @Test
    void aDryRunRefusesCachesThatARunCannotHave() throws IOException {
        assertRefused("cache is useless", "--dry-run", "--set", "cache=" + temporary.resolve("c"), "--crops", "2");
        String[] frozen = {"--freeze-positions", "--crops", "1", "--cache", recipe.toString()};
        assertRefused("tiny.yaml is a file; name a folder", frozen);
        String[] dry = Arrays.copyOf(frozen, frozen.length + 1);
        dry[frozen.length] = "--dry-run";
        assertRefused("tiny.yaml is a file; name a folder", dry);
    }

    /** A run with an own set knows its file from anywhere, and whether it was changed. */
    @Test
    void anOwnSetIsNotChangedUnseen() throws IOException {
        data = Files.createDirectories(temporary.resolve("data"));
        Path own = temporary.resolve("own.yaml");
        String text = "name: own\nimages: images\nlabels: labels\nignored: 255\nclasses: [cat, dog]\n";
        Files.writeString(own, text);
        write(Files.createDirectories(data.resolve("images")).resolve("a.png"), 60, 50, 7);
        write(Files.createDirectories(data.resolve("labels")).resolve("a.png"), 60, 50, 1);
        Path run = temporary.resolve("run");
        String relative = Path.of("").toAbsolutePath().relativize(own).toString();
        TrainRuns.Outcome first = train(run, "--set", "set=" + relative, "--set", "train.steps=2");
        assertThat(first.code()).as(first.err()).isZero();
        assertThat(Path.of(KeyFile.read(run.resolve("recipe.yaml")).path("set").asText()))
                .isAbsolute();
        JsonNode files = new ObjectMapper()
                .readTree(run.resolve("manifest.json").toFile())
                .path("files");
        assertThat(files.properties()).anyMatch(file -> file.getKey().endsWith("own.yaml"));
        Files.writeString(own, "# the same\n" + text);
        String[] resume = {"segment", "train", "--resume", "--out", run.toString()};
        assertThat(TrainRuns.run(resume).err()).contains("from step 2"); // the end was reached before
        Files.writeString(own, text.replace("dog", "cow"));
        TrainRuns.Outcome changed = TrainRuns.run(resume);
        assertThat(changed.code()).isEqualTo(3);
        assertThat(changed.err()).contains("was started with another recipe: set: ", "own.yaml was changed since");
    }

    @Test
    void theClipOfARunIsNotChangedUnseen() throws IOException {
        Path run = temporary.resolve("run");
        assertThat(train(run, "--set", "train.steps=1").code()).isZero();
        Path other = temporary.resolve("other");
        copy(CLIP, other);
        Path tensors = other.resolve("open_clip_model.safetensors");
        byte[] bytes = Files.readAllBytes(tensors);
        flipVisualWeight(bytes);
        Files.write(tensors, bytes);
        TrainRuns.Outcome outcome = TrainRuns.run(
                "segment",
                "--san",
                run.toString(),
                "--clip",
                other.toString(),
                "--image",
                data.resolve("pcontext/val/image").toFile().listFiles()[0].toString(),
                "--classes",
                "cat,grass",
                "--out",
                temporary.resolve("x.png").toString());
        assertThat(outcome.code()).isEqualTo(3);
        assertThat(outcome.err()).contains("was trained on another CLIP", CLIP.toString(), other.toString());
    }

    /** One bit of one number of the image tower in a safetensors file. */
    private static void flipVisualWeight(byte[] file) throws IOException {
        int header = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(0);
        JsonNode infos = new ObjectMapper().readTree(file, 8, header);
        int offset = infos.at("/visual.ln_post.weight/data_offsets/0").asInt();
        file[8 + header + offset + 1] ^= 1;
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    /** One line each, before a folder is made. */
    @Test
    void badDataIsRefusedByName() throws IOException {
        Path golden = data;
        data = temporary.resolve("data");
        Path images = Files.createDirectories(data.resolve("coco/train2017"));
        Path labels = Files.createDirectories(data.resolve("coco/stuffthingmaps_detectron2/train2017"));
        write(images.resolve("a.png"), 20, 10, 7);
        assertRefused("none of 0 label maps");
        write(labels.resolve("a.png"), 10, 20, 7);
        assertRefused("a.png: 10x20 labels for");
        write(labels.resolve("a.png"), 20, 10, 171);
        assertRefused("label 171 at column 0, row 0");
        write(labels.resolve("a.png"), 20, 10, 255);
        assertRefused("there is nothing to learn");
        write(images.resolve("a.png"), 9000, 1, 7);
        write(labels.resolve("a.png"), 9000, 1, 7);
        assertRefused("a.png: a picture of 9000x1 is too thin");
        data = golden;
        assertRefused("crop is 50, expected a multiple of san.patch 16", "--set", "crop=50");
        assertRefused("recognitionLayer 9 of a CLIP", "--set", "san.recognitionLayer=9");
        assertRefused("san.clipResolution, san.sideHeads", "--set", "san.sideHeads=null");
        clip = Golden.model("siglip-hf");
        assertRefused("there is no SAN on it");
        clip = CLIP;
        assertRefused("leaves CLIP", "--set", "san.clipResolution=0.1");
        assertRefused("nearest: train.steps", "--set", "train.step=3");
        assertRefused("data set coco is not known", "--set", "set=coco");
    }

    private static void write(Path file, int width, int height, int value) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY);
        byte[] samples = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
        Arrays.fill(samples, (byte) value);
        ImageIO.write(image, "png", file.toFile());
    }

    /** A golden SAN is gone on from: what it has learned is not lost by a step of rate 0. */
    @Test
    void aSanIsGoneOnFrom() throws IOException {
        Path start = CLIP.resolve("adapter.safetensors");
        Path out = temporary.resolve("continued");
        TrainRuns.Outcome outcome = train(
                out,
                "--start",
                start.toString(),
                "--set",
                "train.lr=0",
                "--set",
                "train.steps=1",
                "--set",
                "san.fusion={0: 0, 1: 2, 2: 3, 3: 4}");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        try (PointerScope scope = new PointerScope();
                SafetensorsFile before = SafetensorsFile.open(start);
                SafetensorsFile after = SafetensorsFile.open(out.resolve("san/model.safetensors"))) {
            assertThat(after.tensors()).hasSameSizeAs(before.tensors());
            for (TensorInfo info : before.tensors()) {
                boolean isSame =
                        after.read(info.name()).equal(before.read(info.name()).to(ScalarType.Float));
                assertThat(isSame).as(info.name()).isTrue();
            }
        }
    }
}
