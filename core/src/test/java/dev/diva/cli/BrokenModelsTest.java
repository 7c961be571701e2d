package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights with NaN in whatever a command loads: one line with file and tensor, code 3, and no result made of them. */
class BrokenModelsTest {
    private static final String IMAGE =
            Golden.resource("preprocess").file("files/odd.png").toString();
    private static final String CLIP = Golden.model("clip-hf-vit").toString();

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({
        "--clip, clip-hf-vit, model.safetensors, vision_model.post_layernorm.weight",
        "--clip, clip-hf-vit, model.safetensors, text_model.final_layer_norm.weight",
        "--diffusion, sd21, unet/diffusion_pytorch_model.safetensors, conv_out.bias",
        "--diffusion, sd21, vae/diffusion_pytorch_model.safetensors, encoder.conv_in.bias",
        "--diffusion, sd21, text_encoder/model.safetensors, text_model.final_layer_norm.weight"
    })
    void trainingTellsTheTensorAndNotTheRate(String option, String golden, String file, String tensor)
            throws IOException {
        Path model = broken(golden, file, tensor);
        String clip = option.equals("--clip") ? model.toString() : CLIP;
        String diffusion = option.equals("--clip") ? Golden.model("sd21").toString() : model.toString();
        TrainRuns.Outcome outcome = TrainRuns.run(
                "train",
                "--clip",
                clip,
                "--diffusion",
                diffusion,
                "--images",
                IMAGE,
                "--out",
                out("run"),
                "--set",
                "resolution=64",
                "--set",
                "precision=fp32",
                "--set",
                "threads=1",
                "--set",
                "train={steps: 1, batch: 1, accumulate: 1}");
        refused(outcome, tensor, model.resolve(file));
        assertThat(folder.resolve("run/clip")).doesNotExist();
    }

    @Test
    void noLatentIsCached() throws IOException {
        Path model = broken("sd21", "vae/diffusion_pytorch_model.safetensors", "encoder.conv_in.bias");
        TrainRuns.Outcome outcome = TrainRuns.run(
                "cache",
                "--diffusion",
                model.toString(),
                "--images",
                IMAGE,
                "--crops",
                "1",
                "--set",
                "resolution=64",
                "--set",
                "precision=fp32",
                "--set",
                "threads=1",
                "--out",
                out("cache"));
        refused(outcome, "encoder.conv_in.bias", model);
    }

    @Test
    void noPictureIsColoured() throws IOException {
        String tensor = "vision_model.embeddings.class_embedding";
        Path model = broken("clip-hf-vit", "model.safetensors", tensor);
        TrainRuns.Outcome outcome = TrainRuns.run(
                "segment",
                "--method",
                "maskclip",
                "--clip",
                model.toString(),
                "--image",
                IMAGE,
                "--classes",
                "cat,dog",
                "--threads",
                "1",
                "--out",
                out("colours.png"));
        refused(outcome, tensor, model);
        assertThat(folder.resolve("colours.png")).doesNotExist();
    }

    @Test
    void aLlavaDoesNotAnswer() throws IOException {
        String tensor = "language_model.model.norm.weight";
        Path model = broken("llava-hf/mha", "model.safetensors", tensor);
        TrainRuns.Outcome outcome = TrainRuns.run(
                "mllm",
                "ask",
                "--llava",
                model.toString(),
                "--text",
                "Why?",
                "--max-new-tokens",
                "2",
                "--threads",
                "1");
        refused(outcome, "norm.weight", model);
        refused(TrainRuns.run("inspect", model.toString()), "norm.weight", model);
    }

    @Test
    void inspectTellsAndEndsWithThree() throws IOException {
        Path model = broken("clip-hf-vit", "model.safetensors", "visual_projection.weight");
        TrainRuns.Outcome outcome = TrainRuns.run("inspect", model.toString());
        refused(outcome, "visual_projection.weight", model);
        assertThat(outcome.out()).contains("vision", "parameters total");
    }

    @Test
    void aBlendNamesTheModelThatIsBroken() throws IOException {
        Path model = broken("clip-hf-vit", "model.safetensors", "visual_projection.weight");
        TrainRuns.Outcome outcome =
                TrainRuns.run("blend", "--clip", CLIP, "--with", model.toString(), "--alpha", "0.5", "--out", out("b"));
        refused(outcome, "visual_projection.weight", model);
        assertThat(folder.resolve("b")).doesNotExist();
    }

    private static void refused(TrainRuns.Outcome outcome, String tensor, Path file) {
        assertThat(outcome.code()).as(outcome.err()).isEqualTo(ExitCodes.BAD_INPUT);
        String[] lines = outcome.err().strip().split("\n");
        assertThat(lines[lines.length - 1])
                .contains(tensor.replace("text_model.", "") + " holds NaN or infinity", file.toString());
    }

    private String out(String name) {
        return folder.resolve(name).toString();
    }

    /** A copy of a model with one tensor of NaN. */
    private Path broken(String golden, String file, String tensor) throws IOException {
        Path model = folder.resolve("model");
        Path original = Golden.model(golden.split("/")[0]).resolve(golden.replaceFirst("^[^/]*/?", ""));
        try (Stream<Path> paths = Files.walk(original)) {
            for (Path path : paths.filter(Files::isRegularFile).toList()) {
                Path target = model.resolve(original.relativize(path).toString());
                Files.createDirectories(target.getParent());
                Files.copy(path, target);
            }
        }
        Path target = model.resolve(file);
        try (PointerScope scope = new PointerScope();
                SafetensorsFile source = SafetensorsFile.open(original.resolve(file))) {
            Map<String, Tensor> tensors = new TreeMap<>();
            for (TensorInfo info : source.tensors()) {
                tensors.put(info.name(), source.read(info.name()));
            }
            tensors.computeIfPresent(tensor, (name, old) -> old.clone().fill_(new Scalar(Double.NaN)));
            assertThat(tensors.containsKey(tensor)).as(tensor).isTrue();
            Files.delete(target);
            SafetensorsWriter.write(target, tensors, Map.of("format", "pt"));
        }
        return model;
    }
}
