package dev.diva.world.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.cli.Main;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.diffusion.PromptStates;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessGroup;
import dev.diva.feedback.TeacherCheck;
import dev.diva.testing.JavaProcess;
import dev.diva.train.StepRecord;
import dev.diva.train.TrainListener.Outcome;
import dev.diva.train.TrainingRun;
import dev.diva.world.WorldRecipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The trainings of the small models, a few steps each: stopped and gone on with, shared by processes, and what is left behind. */
class PretrainingTest {
    private static final WorldRecipe WORLD = new WorldRecipe(1, 16, 24, 0, 0, 0, 0, 0.05);
    private static final PretrainSettings SETTINGS = new PretrainSettings(1, 4, 4, 2e-3);

    @TempDir
    private Path folder;

    @Test
    void everyModelGoesOnAfterAStopToTheSameBits() throws IOException {
        Path clip = folder.resolve("clip");
        Path vae = folder.resolve("vae");
        assertSameAfterAStop(
                clip,
                "model.safetensors",
                (launch, listener) -> new ClipPretraining(WORLD, SETTINGS, listener).run(launch));
        assertSameAfterAStop(
                vae,
                MiniDiffusion.WEIGHTS,
                (launch, listener) -> new AutoencoderPretraining(WORLD, SETTINGS, listener).run(launch));
        assertSameAfterAStop(
                folder.resolve("llm"),
                "model.safetensors",
                (launch, listener) -> new LanguagePretraining(WORLD, SETTINGS, listener).run(launch));
        assertSameAfterAStop(
                folder.resolve("sd"),
                "transformer/" + MiniDiffusion.WEIGHTS,
                (launch, listener) -> new DiffusionPretraining(WORLD, SETTINGS, listener)
                        .run(clip, vae, launch)
                        .map(levels -> Outcome.DONE)
                        .orElse(Outcome.RESUMABLE));
        teacherLoadsAndIsTrainedOn(clip, vae);
        JsonNode manifest =
                new ObjectMapper().readTree(Files.readAllBytes(folder.resolve("sd.training/manifest.json")));
        assertThat(manifest.path("files")
                        .path(clip.resolve("model.safetensors").toString())
                        .asText())
                .matches("[0-9a-f]{64}");
    }

    /** The folder is a teacher with a text encoder of its own, and a later training starts with its weights. */
    private void teacherLoadsAndIsTrainedOn(Path clip, Path vae) {
        Path sd = folder.resolve("sd");
        try (DiffusionModel teacher = DiffusionModel.load(sd, Placement.cpu(Precision.FP32));
                PromptStates prompts = teacher.prompts();
                PointerScope scope = new PointerScope()) {
            assertThat(teacher.takesMean()).isTrue();
            assertThat(prompts.of(List.of("a red cup", "a cat")).states().size(2))
                    .isEqualTo(teacher.denoiser().crossAttentionDim());
        }
        PretrainSettings still = new PretrainSettings(2, 1, 4, 1e-12);
        Path again = folder.resolve("again");
        List<TeacherCheck.Level> levels = new DiffusionPretraining(
                        WORLD, still, DiffusionPretraining.Levels.DEFAULT, sd, new PretrainListener() {})
                .run(clip, vae, PretrainLaunch.of(again))
                .orElseThrow();
        assertThat(levels).allMatch(level -> level.full() > 0 && level.images() == 36); // two pairs of each pattern
        try (PointerScope scope = new PointerScope();
                SafetensorsFile a = SafetensorsFile.open(sd.resolve("transformer/" + MiniDiffusion.WEIGHTS));
                SafetensorsFile b = SafetensorsFile.open(again.resolve("transformer/" + MiniDiffusion.WEIGHTS))) {
            for (TensorInfo info : a.tensors()) {
                assertThat(b.read(info.name()).equal(a.read(info.name())))
                        .as(info.name())
                        .isTrue();
            }
        }
    }

    /** The text tower of an earlier CLIP stays as it is, bit by bit; the vision tower is a new one. */
    @Test
    void visionTowerAloneLearnsToAnEarlierText() {
        Path first = folder.resolve("first");
        Path second = folder.resolve("second");
        new ClipPretraining(WORLD, SETTINGS, new PretrainListener() {}).run(PretrainLaunch.of(first));
        new ClipPretraining(WORLD, new PretrainSettings(2, 2, 4, 2e-3), first, new PretrainListener() {})
                .run(PretrainLaunch.of(second));
        try (PointerScope scope = new PointerScope();
                SafetensorsFile a = SafetensorsFile.open(first.resolve("model.safetensors"));
                SafetensorsFile b = SafetensorsFile.open(second.resolve("model.safetensors"))) {
            for (TensorInfo info : a.tensors()) {
                boolean isText = info.name().startsWith("text_") || info.name().equals("logit_scale");
                if (isText || info.name().endsWith("patch_embedding.weight")) {
                    assertThat(b.read(info.name()).equal(a.read(info.name())))
                            .as(info.name())
                            .isEqualTo(isText);
                }
            }
        }
    }

    private interface Training {
        Outcome run(PretrainLaunch launch, PretrainListener listener);
    }

    private void assertSameAfterAStop(Path out, String weights, Training training) throws IOException {
        Path straight = out.resolveSibling(out.getFileName() + "-straight");
        assertThat(training.run(PretrainLaunch.of(straight), new Stop(Long.MAX_VALUE)))
                .isEqualTo(Outcome.DONE);
        assertThat(training.run(PretrainLaunch.of(out), new Stop(1))).isEqualTo(Outcome.RESUMABLE);
        assertThat(out).doesNotExist();
        Path run = out.resolveSibling(out.getFileName() + ".training");
        assertThat(run.resolve("checkpoints/step-00000002")).isDirectory();
        PretrainLaunch again = new PretrainLaunch(out, true, ProcessGroup.single(), List.of("again"));
        assertThat(training.run(again, new Stop(Long.MAX_VALUE))).isEqualTo(Outcome.DONE);
        assertThat(out.resolve(weights)).hasSameBinaryContentAs(straight.resolve(weights));
        assertThat(losses(run))
                .hasSize(4)
                .isEqualTo(losses(straight.resolveSibling(straight.getFileName() + ".training")));
        assertThat(run.resolve("checkpoints")).doesNotExist();
        assertThat(run).isDirectoryContaining("glob:**events.out.tfevents.*");
        JsonNode manifest = new ObjectMapper().readTree(Files.readAllBytes(run.resolve("manifest.json")));
        assertThat(manifest.path("sessions").get(1).path("firstStep").asInt()).isEqualTo(2);
        assertThat(manifest.has("finished")).isTrue();
    }

    @Test
    void goesOnWithTheSameSettingsOnly() throws IOException {
        Path out = folder.resolve("vae");
        Files.createFile(Files.createDirectory(folder.resolve("vae.training")).resolve(".lock")); // killed as it began
        PretrainLaunch resume = new PretrainLaunch(out, true, ProcessGroup.single(), List.of());
        assertThatThrownBy(() -> vae(SETTINGS, resume, Long.MAX_VALUE))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("vae.training: nothing to resume");
        assertThat(vae(SETTINGS, PretrainLaunch.of(out), 0)).isEqualTo(Outcome.RESUMABLE);
        assertThatThrownBy(() -> vae(new PretrainSettings(1, 5, 4, 2e-3), PretrainLaunch.of(out), Long.MAX_VALUE))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("vae.training: was begun with other values: train.steps: 4, now 5");
        assertThat(vae(SETTINGS, resume, Long.MAX_VALUE)).isEqualTo(Outcome.DONE);
        assertThatThrownBy(() -> vae(SETTINGS, PretrainLaunch.of(out), Long.MAX_VALUE))
                .hasMessageContaining("vae: exists already");
    }

    private static Outcome vae(PretrainSettings settings, PretrainLaunch launch, long stopAfter) {
        return new AutoencoderPretraining(WORLD, settings, new Stop(stopAfter)).run(launch);
    }

    /** The contrastive loss needs the embeddings of all rows, whichever process has them. */
    @Test
    void twoProcessesTrainAsOneDoes() throws IOException {
        Path one = finished("one");
        Path two = finished("two", "--processes", "2");
        List<Double> alone = losses(one);
        List<Double> shared = losses(two);
        assertThat(shared).hasSize(3);
        for (int step = 0; step < 3; step++) {
            assertThat(shared.get(step)).isCloseTo(alone.get(step), within(1e-4 * alone.get(step)));
        }
        List<JsonNode> norms = List.of(metrics(one).get(0), metrics(two).get(0));
        double norm = norms.get(0).path("gradNorm").asDouble();
        assertThat(norms.get(1).path("gradNorm").asDouble()).isCloseTo(norm, within(1e-4 * norm));
    }

    private Path finished(String name, String... more) {
        List<String> arguments = new ArrayList<>(
                List.of("world", "pretrain-clip", "--out", folder.resolve(name).toString()));
        arguments.addAll(
                List.of("--side", "16", "--captioned", "24", "--steps", "3", "--batch", "4", "--threads", "1"));
        arguments.addAll(List.of(more));
        JavaProcess run = JavaProcess.start(folder, Main.class, Map.of(), arguments.toArray(String[]::new));
        assertThat(run.await(120)).as(run.output()).isZero();
        return folder.resolve(name + ".training");
    }

    private static List<Double> losses(Path run) throws IOException {
        return metrics(run).stream().map(line -> line.path("loss").asDouble()).toList();
    }

    private static List<JsonNode> metrics(Path run) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
            lines.add(new ObjectMapper().readTree(line));
        }
        return lines;
    }

    /** Asks for a stop after a step. */
    private static final class Stop implements PretrainListener {
        private final long after;
        private TrainingRun run;

        Stop(long after) {
            this.after = after;
        }

        @Override
        public void begins(TrainingRun begun, List<String> notes) {
            run = begun;
        }

        @Override
        public void stepDone(StepRecord step) {
            if (step.step() == after) {
                run.stop();
            }
        }
    }
}
