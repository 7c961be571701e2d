package dev.diva.cli;

import static dev.diva.testing.Close.assertClose;
import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.engine.Tensors;
import dev.diva.testing.Golden;
import dev.diva.testing.Rasters;
import dev.diva.testing.TensorMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A step of DIVA with teachers of rectified flows through the command line, against one that was written with the libraries of Python. */
@Tag("golden")
class RectifiedFlowTrainTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"flux1-dev", "flux1-schnell", "sana", "sana15", "sd35-medium", "sd3-medium"})
    void lossesAndGradientsAreThoseOfTheReference(String name) throws IOException {
        Golden golden = Golden.of(name);
        Path images = Files.createDirectory(folder.resolve("images"));
        try (PointerScope scope = new PointerScope()) {
            Tensor pictures = golden.input("diva.images_u8");
            Rasters.write(Rasters.of(pictures), images);
            Path out = folder.resolve("run");
            List<String> arguments = new ArrayList<>(List.of("train", "--out", out.toString()));
            arguments.addAll(List.of("--clip", Golden.path("clip-hf-vit").toString()));
            arguments.addAll(List.of("--diffusion", golden.file(".").toString(), "--images", images.toString()));
            for (String assignment : List.of(
                    "resolution=" + pictures.size(3),
                    "shuffle=false",
                    "crop={scale: [1, 1], ratio: [1, 1]}",
                    "precision=fp32",
                    "projection=" + golden.file("inputs.safetensors"),
                    "recap.tokens=all",
                    "train={steps: 1, accumulate: 1, warmupSteps: 0, schedule: constant, maxGradNorm: null}",
                    "train.batch=" + pictures.size(0),
                    "train.draws=" + golden.json("case.json").path("draws"))) {
                arguments.addAll(List.of("--set", assignment));
            }
            TrainRuns.Outcome outcome = TrainRuns.run(arguments.toArray(String[]::new));
            assertThat(outcome.err() + outcome.out())
                    .satisfies(text -> assertThat(outcome.code()).isZero());
            assertThat(Files.readString(out.resolve("recipe.yaml"))).containsPattern("text: \"?none");
            assertClose(losses(out), Tensors.toFloats(golden.expected("diva.losses")), 1e-5, 0);
            TensorSource expected = TensorMap.under("diva.grad.", golden.expected());
            assertThat(expected.tensors()).hasSizeGreaterThan(2);
            try (SafetensorsFile momenta =
                    SafetensorsFile.open(out.resolve("checkpoints/step-00000001/optimizer.safetensors"))) {
                for (TensorInfo info : expected.tensors()) {
                    assertCloseToLargest(momenta.read(info.name()), expected.read(info.name()), 1e-3, 1e-6);
                }
            }
        }
    }

    private static float[] losses(Path out) throws IOException {
        JsonNode step = new ObjectMapper()
                .readTree(Files.readAllLines(out.resolve("metrics.jsonl")).get(0));
        float[] losses = new float[step.path("losses").size()];
        for (int i = 0; i < losses.length; i++) {
            losses[i] = (float) step.path("losses").path(i).asDouble();
        }
        return losses;
    }
}
