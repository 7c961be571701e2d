package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.Sha256;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Wrong recipes, models, images and folders: one line that says what and where, code 3, nothing written. */
class TrainFaultsTest {
    @TempDir
    private Path folder;

    private TrainRuns runs;

    @BeforeEach
    void prepare() {
        runs = new TrainRuns(folder);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "train.stepz=3 | train.stepz is no key of a recipe; nearest: train.steps",
                "steps=3 | steps is no key of a recipe; nearest: train.steps",
                "train.steps=many | train.steps is \"many\", expected a whole number",
                "train.steps=0 | train.steps is 0, expected at least 1",
                "train.lr=fast | train.lr is \"fast\", expected a number",
                "train=7 | train is 7, expected keys and values below it",
                "train.optimizer=lion | train.optimizer is \"lion\", expected one of sgd, adamw",
                "shuffle=perhaps | shuffle is \"perhaps\", expected true or false",
                "crop.scale=[0.9] | crop.scale is [0.9], expected two values above 0 in rising order up to 1.0",
                "resolution=100 | resolution is 100, expected a multiple of 8",
                "recap.count=20 | recap gives 21 tokens and the prompt has 77",
                "recap={count: 76, replacement: false} | recap draws 76 of 16 patches without replacement",
                "recap={tokens: pooled, window: 17, text: mean} | recap.window is 17, expected 1 to 16",
                "timesteps.max=1000 | timesteps.max is 1000, the teacher has 1000",
                "trainable={mode: blocks, lastBlocks: 9} | trainable.lastBlocks is 9, the tower has 3 layers",
                "trainable={mode: lora, rank: 100000} | trainable.rank is 100000, expected at most",
                "train.batch=1000000000 | train.batch is 1000000000, which takes at least",
                "train.draws=1000000000 | train.draws is 1000000000, which takes at least",
                "resolution=1000000000 | resolution is 1000000000, which takes at least",
                "threads=100000 | threads is 100000, expected at most",
                "workers=100000 | workers is 100000",
                "format=onnx | format is onnx, expected one of hf, open_clip, openai, diva",
                "cache=latents | cache is useless while every epoch crops anew",
                "device=cuda | and there is none",
            })
    void wrongRecipeIsOneLineAndLeavesNothing(String assignment, String message) throws IOException {
        TrainRuns.Outcome outcome = runs.train("out", "--set", assignment);
        assertThat(outcome.err()).contains(message);
        assertThat(outcome.err().strip().lines()).hasSize(1);
        assertThat(outcome.code()).isEqualTo(3);
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void projectionOfAnotherWidthNamesBothShapes() throws IOException {
        Path other = Golden.resource("diva-siglip224-published").file("inputs.safetensors");
        TrainRuns.Outcome outcome = runs.train("out", "--set", "projection=" + other);
        assertThat(outcome.err()).contains("visual_proj.weight is [32, 32], expected [32, 24]");
        assertThat(outcome.code()).isEqualTo(3);
    }

    @Test
    void missingTeacherAndPresetAreNamed() throws IOException {
        TrainRuns.Outcome noTeacher = runs.train("out", "--set", "diffusion=" + Golden.model("clip-hf-vit"));
        assertThat(noTeacher.err()).contains("clip-hf-vit: no scheduler/scheduler_config.json");
        assertThat(noTeacher.code()).isEqualTo(3);
        assertThat(runs.train("out", "--preset", "publishd").err()).contains("nearest: published");
    }

    @Test
    void folderInUseIsRefusedAndSoIsResumeOfNothing() throws IOException {
        Files.createDirectories(folder.resolve("used"));
        Files.writeString(folder.resolve("used/notes.txt"), "mine");
        assertThat(runs.train("used").err()).contains("in use already").doesNotContain("--resume");
        assertThat(runs.train("run", "--set", "train.steps=1").code()).isZero();
        assertThat(runs.train("run").err()).contains("in use already").contains("--resume");
        assertThat(runs.train("nothing", "--resume").err()).contains("nothing to resume");
    }

    @Test
    void resumeWithAnotherRecipeListsTheDifferences() throws IOException {
        assertThat(runs.train("run").code()).isZero();
        TrainRuns.Outcome other = runs.train("run", "--resume", "--set", "train.lr=0.1", "--set", "shuffle=false");
        assertThat(other.code()).isEqualTo(3);
        assertThat(other.err()).contains("train.lr: 0.05, now 0.1").contains("shuffle: true, now false");
        TrainRuns.Outcome same = TrainRuns.run(
                "train", "--resume", "--out", folder.resolve("run").toString());
        assertThat(same.code()).as(same.err()).isZero();
    }

    @Test
    void badImagesAreSkippedNamedAndCounted() throws IOException {
        Files.writeString(runs.images().resolve("02b.png"), "no image");
        TrainRuns.Outcome refused = runs.train("refused");
        assertThat(refused.err()).contains("1 of 5 images cannot be read").contains("02b.png");
        assertThat(refused.code()).isEqualTo(3);
        TrainRuns.Outcome outcome = runs.train("run", "--max-bad-share", "0.3", "--json");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        JsonNode manifest = new ObjectMapper().readTree(Files.readAllBytes(folder.resolve("run/manifest.json")));
        assertThat(manifest.path("skippedCount").asInt()).isEqualTo(1);
        assertThat(manifest.path("skipped").get(0).path("name").asText()).endsWith("02b.png");
        assertThat(new ObjectMapper().readTree(outcome.out()).path("skipped").asInt())
                .isEqualTo(1);
    }

    @Test
    void everyInputIsHashedOnceARunIsDone() throws IOException {
        assertThat(runs.train("run").code()).isZero();
        Path file = folder.resolve("run/manifest.json");
        JsonNode manifest = requireHashes(file);
        assertThat(manifest.path("files").properties().stream().map(entry -> entry.getKey()))
                .anyMatch(name -> name.endsWith("unet/diffusion_pytorch_model.safetensors"))
                .anyMatch(name -> name.endsWith("clip-hf-vit/model.safetensors"));
        // As a run leaves it that was stopped before it had read all of its files.
        Files.writeString(file, Files.readString(file).replaceFirst("\"[0-9a-f]{64}\"", "null"));
        assertThat(runs.train("run", "--resume").code()).isZero();
        requireHashes(file);
    }

    private static JsonNode requireHashes(Path file) throws IOException {
        JsonNode manifest = new ObjectMapper().readTree(Files.readAllBytes(file));
        assertThat(manifest.path("images").path("files").size()).isPositive();
        for (JsonNode files :
                List.of(manifest.path("files"), manifest.path("images").path("files"))) {
            for (Map.Entry<String, JsonNode> hashed : files.properties()) {
                assertThat(hashed.getValue().asText()).isEqualTo(Sha256.of(Path.of(hashed.getKey())));
            }
        }
        return manifest;
    }

    @Test
    void infiniteLossKeepsTheLastGoodCheckpointAndNamesTheStep() throws IOException {
        TrainRuns.Outcome outcome = runs.train(
                "run", "--set", "train.lr=1e30", "--set", "train.maxGradNorm=null", "--set", "checkpoint.every=1");
        assertThat(outcome.code()).isEqualTo(1);
        assertThat(outcome.err()).containsPattern("is (NaN|Infinity) in step 1, images .*png");
        try (var checkpoints = Files.list(folder.resolve("run/checkpoints"))) {
            assertThat(checkpoints.map(path -> path.getFileName().toString())).containsExactly("step-00000001");
        }
    }
}
