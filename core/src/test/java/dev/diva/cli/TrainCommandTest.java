package dev.diva.cli;

import static dev.diva.testing.Close.assertClose;
import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.NameTable;
import dev.diva.checkpoint.format.TranslatedSource;
import dev.diva.testing.Golden;
import dev.diva.testing.Rasters;
import dev.diva.testing.TensorMap;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The authors' trajectory and the corrected one through the command line: losses, gradients, weights. */
@Tag("golden")
class TrainCommandTest {
    @TempDir
    private Path folder;

    private int runs;

    @Test
    void publishedPresetGivesTheAuthorsLossesGradientsAndWeights() throws IOException {
        Golden golden = Golden.of("diva-openai-published");
        Path out = run("published", golden, "--set", "train.maxGradNorm=null");
        try (PointerScope scope = new PointerScope()) {
            losses(out, golden.expected("loss_of_each_draw"));
            series(out, "gradNorm", golden.expected("total_gradient_norm_of_each_step"), 1e-3);
            series(out, "lr", golden.expected("learning_rate_of_each_step"), 1e-7);
            gradients(
                    out, TranslatedSource.toOurs(TensorMap.under("step0.grad.", golden.expected()), NameTable.OPENAI));
            weights(out, golden, "", NameTable.OPENAI);
        }
    }

    @Test
    void publishedRunsClipAtOneUnlessToldOtherwise() throws IOException {
        Golden golden = Golden.of("diva-openai-published");
        Path out = run("published", golden);
        try (PointerScope scope = new PointerScope()) {
            losses(out, golden.expected("clipped.loss_of_each_draw"));
            weights(out, golden, "clipped.", NameTable.OPENAI);
        }
    }

    @Test
    void correctedPresetGivesTheReferenceLossesGradientsAndWeights() throws IOException {
        Golden golden = Golden.of("diva-corrected");
        Path out = run("corrected", golden, "--set", "train.maxGradNorm=null");
        try (PointerScope scope = new PointerScope()) {
            losses(out, golden.expected("loss_of_each_draw"));
            series(out, "gradNorm", golden.expected("total_gradient_norm_of_each_step"), 1e-3);
            gradients(out, TensorMap.under("step0.grad.", golden.expected()));
            weights(out, golden, "", null);
        }
    }

    @Test
    void sumOverDrawsIsAnotherWeight() throws IOException {
        Golden golden = Golden.of("diva-corrected");
        Path sum = run("corrected", golden, "--set", "train.maxGradNorm=null", "--set", "feedback.drawWeights=sum");
        try (PointerScope scope = new PointerScope()) {
            weights(sum, golden, "sum_over_draws.", null);
        }
    }

    private Path run(String preset, Golden golden, String... more) throws IOException {
        Path out = folder.resolve("run" + runs++);
        Path images = Files.createDirectory(folder.resolve("images" + runs));
        try (PointerScope scope = new PointerScope()) {
            Rasters.write(Rasters.of(golden.input("images_u8")), images);
        }
        boolean published = preset.equals("published");
        JsonNode optimizer = golden.json("case.json").path("optimizer");
        String first = published ? "draw.00." : "micro.0.";
        Path clip = published ? golden.file("clip.pt") : Golden.path("clip-hf-vit");
        List<String> arguments = new ArrayList<>(List.of("--preset", preset, "--out", out.toString()));
        arguments.addAll(List.of(
                "--clip", clip.toString(), "--diffusion", Golden.path("sd21").toString()));
        arguments.addAll(List.of("--images", images.toString(), "--json"));
        for (String assignment : List.of(
                "resolution=" + golden.input("images_u8").size(3),
                "shuffle=false",
                "crop={scale: [1, 1], ratio: [1, 1]}",
                "precision=fp32",
                "projection=" + golden.file("inputs.safetensors"),
                "recap.count=" + golden.input(first + "token_indices").size(1),
                "train.steps=" + optimizer.path("num_training_steps"),
                "train.batch=" + golden.input(first + "token_indices").size(0),
                "train.accumulate=" + (int) golden.told("what", "accumulation ([0-9]+)"),
                "train.draws=" + (int) golden.told("what", published ? "train_steps ([0-9]+)" : "([0-9]+) draws"),
                "train.lr=" + optimizer.path("lr"),
                "train.momentum=" + optimizer.path("momentum"),
                "train.warmupSteps=" + optimizer.path("num_warmup_steps"),
                "checkpoint={every: 1, keep: 9}")) {
            arguments.addAll(List.of("--set", assignment));
        }
        arguments.addAll(List.of(more));
        StringWriter printed = new StringWriter();
        StringWriter errors = new StringWriter();
        int code = Main.commandLine()
                .setOut(new PrintWriter(printed))
                .setErr(new PrintWriter(errors))
                .execute(Stream.concat(Stream.of("train"), arguments.stream()).toArray(String[]::new));
        assertThat(errors.toString() + printed)
                .satisfies(text -> assertThat(code).isZero());
        return out;
    }

    private static List<JsonNode> lines(Path out) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(out.resolve("metrics.jsonl"))) {
            lines.add(new ObjectMapper().readTree(line));
        }
        return lines;
    }

    private static void losses(Path out, Tensor expected) throws IOException {
        float[] losses = new float[(int) expected.numel()];
        int at = 0;
        for (JsonNode line : lines(out)) {
            for (JsonNode loss : line.path("losses")) {
                if (at < losses.length) {
                    losses[at++] = (float) loss.asDouble();
                }
            }
        }
        assertClose(losses, dev.diva.engine.Tensors.toFloats(expected), 1e-5, 0);
    }

    private static void series(Path out, String name, Tensor expected, double tolerance) throws IOException {
        float[] wanted = dev.diva.engine.Tensors.toFloats(expected);
        List<JsonNode> lines = lines(out);
        for (int i = 0; i < wanted.length; i++) {
            assertThat(lines.get(i).path(name).asDouble())
                    .isCloseTo(wanted[i], org.assertj.core.data.Offset.offset(tolerance * Math.abs(wanted[i]) + 1e-12));
        }
    }

    /** After the first step the momentum is the gradient of that step. */
    private static void gradients(Path out, TensorSource expected) {
        try (SafetensorsFile momenta =
                SafetensorsFile.open(out.resolve("checkpoints/step-00000001/optimizer.safetensors"))) {
            for (TensorInfo info : expected.tensors()) {
                assertCloseToLargest(momenta.read(info.name()), expected.read(info.name()), 1e-3, 1e-6);
            }
        }
        assertThat(expected.tensors()).hasSizeGreaterThan(20);
    }

    /** Weights after the steps of the case; names null where they are ours. */
    private static void weights(Path out, Golden golden, String which, NameTable names) {
        int steps =
                Math.toIntExact(golden.expected("learning_rate_of_each_step").numel());
        TensorSource stored = TensorMap.under(which + "step" + steps + ".weight.", golden.expected());
        TensorSource expected = names == null ? stored : TranslatedSource.toOurs(stored, names);
        double tolerance = golden.json("case.json")
                .path("tolerance_weights_after_step" + steps)
                .asDouble();
        try (SafetensorsFile masters =
                SafetensorsFile.open(out.resolve(String.format("checkpoints/step-%08d/masters.safetensors", steps)))) {
            for (TensorInfo info : expected.tensors()) {
                assertClose(masters.read(info.name()), expected.read(info.name()), 0, tolerance);
            }
        }
        assertThat(expected.tensors()).isNotEmpty();
    }
}
