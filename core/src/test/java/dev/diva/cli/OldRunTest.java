package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.testing.Close;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A run that diva 0.1 (4b52a04) began goes on. {@code old-run} is the folder of {@code train --clip clip-hf-vit --diffusion sd21 --images
 * preprocess/files/*.png} with the keys in its recipe.yaml, killed after the last of its four steps and before the checkpoint of that
 * step; {@code straight.safetensors} are the masters of the same run when it was let go on. GOLDEN stands for the folder of the models.
 */
class OldRunTest {
    private static final Path OLD = Path.of("src/test/resources/old-run");
    private static final Path GOLDEN = Path.of("src/test/resources/golden").toAbsolutePath();

    @TempDir
    private Path folder;

    @Test
    void goesOnToTheWeightsAndLossesOfTheStraightRun() throws IOException {
        Path run = copy();
        List<JsonNode> before = metrics(run);
        TrainRuns.Outcome outcome = TrainRuns.run("train", "--resume", "--out", run.toString());
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.err()).contains("from step 2");
        List<JsonNode> after = metrics(run);
        assertThat(after).hasSize(4);
        assertThat(after.subList(0, 2)).isEqualTo(before.subList(0, 2));
        for (int step = 2; step < 4; step++) {
            assertThat(after.get(step)).isNotEqualTo(before.get(step)); // its speed
            for (int draw = 0; draw < 4; draw++) {
                double wanted = before.get(step).path("losses").get(draw).asDouble();
                assertThat(after.get(step).path("losses").get(draw).asDouble())
                        .isCloseTo(wanted, within(1e-5 * wanted)); // fp32 on another processor
            }
        }
        assertWeights(
                run.resolve("checkpoints/step-00000004/masters.safetensors"), OLD.resolve("straight.safetensors"));
        JsonNode manifest = new ObjectMapper().readTree(Files.readAllBytes(run.resolve("manifest.json")));
        assertThat(manifest.path("sessions")).hasSize(2);
        assertThat(manifest.path("sessions").get(1).path("firstStep").asInt()).isEqualTo(2);
        assertThat(run.resolve("clip/model.safetensors")).exists();
    }

    @Test
    void isRefusedWithAnotherRecipe() throws IOException {
        TrainRuns.Outcome outcome =
                TrainRuns.run("train", "--resume", "--out", copy().toString(), "--set", "train.lr=0.1");
        assertThat(outcome.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(outcome.err()).contains("was started with another recipe: train.lr: 0.002, now 0.1");
    }

    /** The last steps are two of AdamW: a gradient a millionth off moves no weight by a hundredth of the rate of 0.002. */
    private static void assertWeights(Path actual, Path expected) {
        try (PointerScope scope = new PointerScope();
                SafetensorsFile a = SafetensorsFile.open(actual);
                SafetensorsFile b = SafetensorsFile.open(expected)) {
            assertThat(a.tensors()).hasSameSizeAs(b.tensors());
            for (TensorInfo info : b.tensors()) {
                Close.assertClose(a.read(info.name()), b.read(info.name()), 0, 2e-5);
            }
        }
    }

    private Path copy() throws IOException {
        Path run = folder.resolve("run");
        try (Stream<Path> files = Files.walk(OLD)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path to = run.resolve(OLD.relativize(file).toString());
                Files.createDirectories(to.getParent());
                Files.copy(file, to);
            }
        }
        for (String name : List.of("recipe.yaml", "manifest.json")) {
            Path file = run.resolve(name);
            Files.writeString(file, Files.readString(file).replace("GOLDEN", GOLDEN.toString()));
        }
        return run;
    }

    private static List<JsonNode> metrics(Path run) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
            lines.add(new ObjectMapper().readTree(line));
        }
        return lines;
    }
}
