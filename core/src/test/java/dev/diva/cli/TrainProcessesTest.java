package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.engine.ProcessPlace;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import dev.diva.testing.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One training on one, two and four processes, stopped and resumed on another number of them; faults that one process cannot have. */
class TrainProcessesTest {
    private static final int STEPS = 6;
    private static final int LIMIT_SECONDS = 240;

    @TempDir
    Path folder;

    @Test
    void theSameRecipeGivesTheSameRunOnOneTwoAndFourProcesses() throws IOException {
        Path one = finished("one", 1);
        Path two = finished("two", 2);
        Path four = finished("four", 4);
        // Two processes deal out whole micro-batches: nothing is computed otherwise. Four split their images.
        assertThat(masters(two)).isEqualTo(masters(one));
        assertThat(momenta(two)).isEqualTo(momenta(one));
        assertThat(metrics(two).get(STEPS - 1).path("losses"))
                .isEqualTo(metrics(one).get(STEPS - 1).path("losses"));
        Close.assertClose(losses(four, 0), losses(one, 0), 1e-5, 0);
        assertMastersClose(four, one);
        assertThat(metrics(four).get(STEPS - 1).path("images").asLong()).isEqualTo(4L * STEPS);
    }

    /** By AdamW; the runs above are SGD's. */
    @Test
    void aStoppedRunGoesOnWithAnotherNumberOfProcessesToTheSameBits() throws Exception {
        String optimizer = "train.optimizer=adamw";
        Path straight = folder.resolve("straight");
        JavaProcess whole = train(straight, Map.of(), "--set", optimizer);
        assertThat(whole.await(LIMIT_SECONDS)).as(whole.output()).isZero();
        Path out = folder.resolve("stopped");
        JavaProcess run = train(out, Map.of(), "--processes", "2", "--set", optimizer);
        for (int i = 0; i < 1200 && !Files.exists(out.resolve("checkpoints/step-00000001")); i++) {
            Thread.sleep(50);
        }
        run.process().destroy();
        assertThat(run.await(60)).as(run.output()).isEqualTo(ExitCodes.RESUMABLE);
        JavaProcess rest = train(out, Map.of(), "--resume", "--set", optimizer);
        assertThat(rest.await(LIMIT_SECONDS)).as(rest.output()).isZero();
        assertThat(metrics(out)).hasSize(STEPS);
        assertThat(masters(out)).isEqualTo(masters(straight));
        assertThat(momenta(out)).isEqualTo(momenta(straight));
    }

    @Test
    void onlyTheFirstRankNeedsToKnowThatARunGoesOn() throws IOException {
        Path out = folder.resolve("parted");
        JavaProcess run = train(out, Map.of(), "--processes", "2", "--set", "train.steps=3");
        assertThat(run.await(LIMIT_SECONDS)).as(run.output()).isZero();
        Path newest = checkpoint(out, 3);
        byte[] expected = Files.readAllBytes(newest.resolve("masters.safetensors"));
        Files.move(newest, folder.resolve("taken")); // as if it had been stopped after step 2
        int port = JavaProcess.freePort();
        List<JavaProcess> ranks = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            Map<String, String> place = new ProcessPlace(rank, 2, rank, "127.0.0.1", port).toEnvironment();
            String[] more = {"--set", "train.steps=3", "--resume"};
            ranks.add(train(out, place, Arrays.copyOf(more, rank == 0 ? 3 : 2)));
        }
        for (JavaProcess rank : ranks) {
            assertThat(rank.await(LIMIT_SECONDS)).as(rank.output()).isZero();
        }
        assertThat(Files.readAllBytes(newest.resolve("masters.safetensors"))).isEqualTo(expected);
    }

    @Test
    void aRankWithAnotherRecipeIsToldByEveryRank() {
        int port = JavaProcess.freePort();
        List<JavaProcess> ranks = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            Map<String, String> place = new ProcessPlace(rank, 2, rank, "127.0.0.1", port).toEnvironment();
            ranks.add(train(folder.resolve("other"), place, "--seed", Integer.toString(rank)));
        }
        for (JavaProcess rank : ranks) {
            assertThat(rank.await(60)).isEqualTo(1);
            assertThat(rank.output()).contains("diva: rank 1 has another recipe than rank 0");
        }
        assertThat(folder.resolve("other")).doesNotExist();
    }

    @Test
    void aRankOfAnotherVersionIsToldByEveryRank() throws IOException {
        // The boot class path is asked first, so this is what rank 1 takes for its build.
        Path other = Files.createDirectories(folder.resolve("other/dev/diva"));
        Files.writeString(other.resolve("build.properties"), "version=9.9\ncommit=abc\n");
        int port = JavaProcess.freePort();
        List<JavaProcess> ranks = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            Map<String, String> place =
                    new HashMap<>(new ProcessPlace(rank, 2, rank, "127.0.0.1", port).toEnvironment());
            if (rank == 1) {
                place.put("JDK_JAVA_OPTIONS", "-Xbootclasspath/a:" + folder.resolve("other"));
            }
            ranks.add(train(folder.resolve("run"), place));
        }
        for (JavaProcess rank : ranks) {
            assertThat(rank.await(60)).isEqualTo(1);
            assertThat(rank.output()).contains("diva: rank 1 has another version than rank 0: 9.9 (abc), expected ");
        }
        assertThat(folder.resolve("run")).doesNotExist();
    }

    @Test
    void aDivergedRunStopsEveryRankBeforeTheUpdate() throws IOException {
        Path out = folder.resolve("diverged");
        JavaProcess run =
                train(out, Map.of(), "--processes", "2", "--set", "train.lr=1e30", "--set", "train.maxGradNorm=null");
        assertThat(run.await(LIMIT_SECONDS)).isEqualTo(1);
        assertThat(run.output()).contains("[0] diva: ", "[1] diva: ", "the weights are those from before this step");
        int good = metrics(out).size();
        try (PointerScope scope = new PointerScope();
                SafetensorsFile file =
                        SafetensorsFile.open(checkpoint(out, good).resolve("masters.safetensors"))) {
            for (TensorInfo info : file.tensors()) {
                assertThat(file.read(info.name()).isfinite().all().item().toBool())
                        .as(info.name())
                        .isTrue();
            }
        }
    }

    @Test
    void aNumberOfProcessesThatDoesNotDivideAStepIsRefused() {
        JavaProcess run = train(folder.resolve("three"), Map.of(), "--processes", "3");
        assertThat(run.await(60)).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(run.output()).contains("3 processes cannot share the 4 images of a step");
        assertThat(folder.resolve("three")).doesNotExist();
    }

    private Path finished(String name, int processes) {
        Path out = folder.resolve(name);
        JavaProcess run = train(out, Map.of(), "--processes", Integer.toString(processes));
        assertThat(run.await(LIMIT_SECONDS)).as(run.output()).isZero();
        return out;
    }

    /** The tiny golden models; four images a step. */
    private JavaProcess train(Path out, Map<String, String> environment, String... more) {
        List<String> arguments = new ArrayList<>(List.of("train", "--out", out.toString()));
        arguments.addAll(List.of("--clip", Golden.model("clip-hf-vit").toString()));
        arguments.addAll(List.of("--diffusion", Golden.model("sd21").toString()));
        arguments.addAll(List.of("--images", Golden.model("preprocess/files") + "/*.png"));
        for (String assignment : List.of(
                "resolution=64",
                "precision=fp32",
                "threads=1",
                "workers=1",
                "train.batch=2",
                "train.accumulate=2",
                "train.lr=0.002",
                "train.steps=" + STEPS,
                "checkpoint.every=1")) {
            arguments.addAll(List.of("--set", assignment));
        }
        arguments.addAll(List.of(more));
        return JavaProcess.start(folder, Main.class, environment, arguments.toArray(String[]::new));
    }

    private static List<JsonNode> metrics(Path out) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(out.resolve("metrics.jsonl"))) {
            lines.add(new ObjectMapper().readTree(line));
        }
        return lines;
    }

    private static float[] losses(Path out, int step) throws IOException {
        JsonNode node = metrics(out).get(step).path("losses");
        float[] losses = new float[node.size()];
        for (int i = 0; i < losses.length; i++) {
            losses[i] = (float) node.get(i).asDouble();
        }
        return losses;
    }

    private static Path checkpoint(Path out, long step) {
        return out.resolve(String.format(java.util.Locale.ROOT, "checkpoints/step-%08d", step));
    }

    private static byte[] masters(Path out) throws IOException {
        return Files.readAllBytes(checkpoint(out, STEPS).resolve("masters.safetensors"));
    }

    private static byte[] momenta(Path out) throws IOException {
        return Files.readAllBytes(checkpoint(out, STEPS).resolve("optimizer.safetensors"));
    }

    private static void assertMastersClose(Path actual, Path expected) {
        try (PointerScope scope = new PointerScope();
                SafetensorsFile a =
                        SafetensorsFile.open(checkpoint(actual, STEPS).resolve("masters.safetensors"));
                SafetensorsFile b =
                        SafetensorsFile.open(checkpoint(expected, STEPS).resolve("masters.safetensors"))) {
            for (TensorInfo info : b.tensors()) {
                Close.assertClose(
                        Tensors.toFloats(a.read(info.name())), Tensors.toFloats(b.read(info.name())), 0, 1e-4);
            }
        }
    }
}
