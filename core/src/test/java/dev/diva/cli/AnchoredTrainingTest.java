package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The preset {@code anchored} through the command line on tiny models: a projection from captions, training, the average, and what is refused. */
class AnchoredTrainingTest {
    @TempDir
    private Path folder;

    private TrainRuns runs;
    private Path captions;
    private Path anchor;

    @BeforeEach
    void prepare() throws IOException {
        runs = new TrainRuns(folder);
        captions = folder.resolve("captions.txt");
        Files.write(
                captions,
                IntStream.range(0, 60)
                        .mapToObj(i -> "a photo of " + i + " cats and " + (i % 7) + " dogs")
                        .toList());
        anchor = folder.resolve("anchor.safetensors");
    }

    private TrainRuns.Outcome anchor(String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "anchor",
                "--clip",
                Golden.model("clip-hf-vit").toString(),
                "--diffusion",
                Golden.model("sd21").toString(),
                "--captions",
                captions.toString(),
                "--out",
                anchor.toString()));
        arguments.addAll(Arrays.asList(more));
        return TrainRuns.run(arguments.toArray(String[]::new));
    }

    private TrainRuns.Outcome train(String out, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("--preset", "anchored"));
        for (String assignment :
                List.of("train.projectionSteps=1", "projection.init=" + anchor, "train.lr=0.01", "train.steps=4")) {
            arguments.addAll(List.of("--set", assignment));
        }
        arguments.addAll(Arrays.asList(more));
        return runs.train(out, arguments.toArray(String[]::new));
    }

    @Test
    void trainsFromCaptionsAndExportsTheAverage() throws IOException {
        TrainRuns.Outcome fitted = anchor("--json");
        assertThat(fitted.code()).as(fitted.err()).isZero();
        JsonNode record = new ObjectMapper().readTree(fitted.out());
        assertThat(record.path("condition").asText()).isEqualTo("states");
        assertThat(record.path("captions").asInt()
                        + record.path("heldOut").path("captions").asInt())
                .isEqualTo(60);
        assertThat(record.path("heldOut").path("meanRank").asDouble()).isGreaterThanOrEqualTo(1);
        TrainRuns.Outcome whole = train("whole", "--set", "average=1.0");
        assertThat(whole.code()).as(whole.err()).isZero();
        TrainRuns.Outcome average = train("average");
        assertThat(average.code()).as(average.err()).isZero();
        assertSameTensors(
                folder.resolve("whole/checkpoints/step-00000004/masters.safetensors"),
                folder.resolve("average/checkpoints/step-00000004/masters.safetensors"));
        JsonNode manifest = new ObjectMapper().readTree(Files.readAllBytes(folder.resolve("average/manifest.json")));
        assertThat(manifest.path("average").asDouble()).isEqualTo(0.7);
        TrainRuns.Outcome blend = TrainRuns.run(
                "blend",
                "--clip",
                Golden.model("clip-hf-vit").toString(),
                "--with",
                folder.resolve("whole").toString(),
                "--alpha",
                "0.7",
                "--out",
                folder.resolve("blend").toString());
        assertThat(blend.code()).as(blend.err()).isZero();
        assertSameTensors(folder.resolve("blend/model.safetensors"), folder.resolve("average/clip/model.safetensors"));
        try (SafetensorsFile projection = SafetensorsFile.open(folder.resolve("average/projection.safetensors"))) {
            assertThat(projection.info("center")).as("of the images of the run").isNotNull();
        }
    }

    /** In its own steps the projection learns and the tower does not; later the tower alone. */
    @Test
    void projectionIsFrozenAfterItsSteps() throws IOException {
        assertThat(anchor().code()).isZero();
        TrainRuns.Outcome run =
                train("run", "--set", "checkpoint.every=1", "--set", "checkpoint.keep=9", "--set", "train.lr=0.001");
        assertThat(run.code()).as(run.err()).isZero();
        Path checkpoints = folder.resolve("run/checkpoints");
        try (PointerScope scope = new PointerScope();
                SafetensorsFile start = SafetensorsFile.open(anchor);
                SafetensorsFile one = SafetensorsFile.open(checkpoints.resolve("step-00000001/masters.safetensors"));
                SafetensorsFile four = SafetensorsFile.open(checkpoints.resolve("step-00000004/masters.safetensors"))) {
            String name = "visual_proj.weight";
            assertThat(one.read(name).equal(start.read("weight"))).isFalse();
            assertThat(four.read(name).equal(one.read(name))).isTrue();
            for (TensorInfo info : one.tensors()) {
                if (info.name().endsWith("layers.0.mlp.fc1.weight")) {
                    assertThat(four.read(info.name()).equal(one.read(info.name())))
                            .isFalse();
                }
            }
        }
    }

    /** It costs nothing until the tower changes, and what it held is in the manifest. */
    @Test
    void guardHoldsTheSimilarityWithTexts() throws IOException {
        assertThat(anchor().code()).isZero();
        TrainRuns.Outcome run = train(
                "run", "--set", "guard.weight=0", "--set", "guard.textsWeight=10", "--set", "guard.texts=" + captions);
        assertThat(run.code()).as(run.err()).isZero();
        List<Double> penalties = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve("run/metrics.jsonl"))) {
            penalties.add(new ObjectMapper().readTree(line).path("guard").asDouble());
        }
        assertThat(penalties).hasSize(4);
        assertThat(penalties.get(1)).isLessThan(1e-9);
        assertThat(penalties.get(3)).isGreaterThan(1e-6);
        assertThat(Files.readString(folder.resolve("run/manifest.json"))).contains("captions.txt");
    }

    @Test
    void refusesInOneLine() throws IOException {
        assertThat(anchor().code()).isZero();
        Files.writeString(folder.resolve("empty.txt"), "\n \n");
        assertThat(guarded("")).contains("guard.texts is not given");
        assertThat(guarded("missing.txt")).contains("missing.txt: missing");
        assertThat(guarded("empty.txt")).contains("empty.txt: holds no text");
        Files.delete(anchor);
        TrainRuns.Outcome none = runs.train("none", "--preset", "anchored");
        assertThat(none.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(none.err()).contains("projection.init is not given").contains("diva anchor --clip");
        TrainRuns.Outcome kind = anchor("--condition", "middle");
        assertThat(kind.code()).isEqualTo(2);
        assertThat(kind.err()).contains("expected mean, end or states, found middle");
        assertThat(anchor("--condition", "end").code()).isZero();
        TrainRuns.Outcome again = anchor();
        assertThat(again.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(again.err()).contains("anchor.safetensors: exists already");
        TrainRuns.Outcome joined = train("joined", "--set", "recap.text=mean");
        assertThat(joined.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(joined.err()).contains("is anchored in texts").contains("recap.text: none");
        TrainRuns.Outcome short_ = train("short", "--set", "train.projectionSteps=4");
        assertThat(short_.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(short_.err()).contains("projection.frozen is true").contains("give more steps");
        TrainRuns.Outcome much = train("much", "--set", "average=1.5");
        assertThat(much.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(much.err()).contains("average is 1.5, expected 0.0 to 1.0");
        TrainRuns.Outcome dcr = runs.train("dcr", "--preset", "dcr", "--set", "timesteps.weight=velocity");
        assertThat(dcr.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(dcr.err()).contains("timesteps.weight is a key of the objective diva");
    }

    @Test
    void checksATeacherByItsPairs() throws IOException {
        Path images = runs.images();
        String image;
        try (var files = Files.list(images)) {
            image = files.map(file -> file.getFileName().toString())
                    .sorted()
                    .findFirst()
                    .orElseThrow();
        }
        Path pairs = Files.writeString(
                folder.resolve("pairs.csv"), "image,caption,gist,wrong\n" + image + ",a red cat,a cat,a blue cat\n");
        assertThat(anchor().code()).isZero();
        TrainRuns.Outcome checked = TrainRuns.run(
                "teacher-check",
                "--clip",
                Golden.model("clip-hf-vit").toString(),
                "--anchor",
                anchor.toString(),
                "--diffusion",
                Golden.model("sd21").toString(),
                "--captions",
                pairs.toString(),
                "--images",
                images.toString(),
                "--resolution",
                "64",
                "--timesteps",
                "900,100",
                "--draws",
                "2",
                "--json");
        assertThat(checked.code()).as(checked.err()).isZero();
        JsonNode record = new ObjectMapper().readTree(checked.out());
        assertThat(record.path("levels")).hasSize(2);
        assertThat(record.path("levels").get(0).path("timestep").asInt()).isEqualTo(100);
        assertThat(record.path("levels").get(0).path("images").asInt()).isEqualTo(2);
        assertThat(record.path("levels").get(1).path("full").asDouble()).isPositive();
        assertThat(record.path("levels").get(1).path("anchored").asDouble()).isPositive();
        assertThat(record.path("clipKnows").asDouble()).isBetween(0.0, 1.0);
        assertThat(record.has("timesteps")).isTrue();
        TrainRuns.Outcome odd = TrainRuns.run(
                "teacher-check",
                "--diffusion",
                Golden.model("sd21").toString(),
                "--captions",
                pairs.toString(),
                "--images",
                images.toString(),
                "--resolution",
                "63");
        assertThat(odd.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(odd.err()).contains("--resolution is 63, expected a multiple of");
    }

    private static void assertSameTensors(Path one, Path other) {
        try (PointerScope scope = new PointerScope();
                SafetensorsFile a = SafetensorsFile.open(one);
                SafetensorsFile b = SafetensorsFile.open(other)) {
            assertThat(a.tensors()).hasSameSizeAs(b.tensors());
            for (TensorInfo info : a.tensors()) {
                assertThat(a.read(info.name()).equal(b.read(info.name())))
                        .as(info.name())
                        .isTrue();
            }
        }
    }

    /** What is said of a guard that cannot be. */
    private String guarded(String texts) throws IOException {
        List<String> keys = new ArrayList<>(List.of("--set", "guard.textsWeight=1"));
        if (!texts.isEmpty()) {
            keys.addAll(List.of("--set", "guard.texts=" + folder.resolve(texts)));
        }
        TrainRuns.Outcome refused = train("refused", keys.toArray(String[]::new));
        assertThat(refused.code()).isEqualTo(ExitCodes.BAD_INPUT);
        return refused.err();
    }
}
