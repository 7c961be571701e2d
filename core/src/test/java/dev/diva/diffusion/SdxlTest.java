package dev.diva.diffusion;

import static dev.diva.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** SDXL as a whole teacher against diffusers: two text encoders, the pooled text, the sizes. */
class SdxlTest {
    private static final String CASE = "sdxl";

    @Tag("golden")
    @Test
    void aPromptIsWhatDiffusersEncodes() {
        Golden golden = Golden.of(CASE);
        try (PointerScope scope = new PointerScope();
                DiffusionModel model = DiffusionModel.load(golden.file("."), Golden.placement())) {
            for (Map.Entry<String, JsonNode> prompt :
                    golden.json("case.json").get("prompts").properties()) {
                Condition told = model.encodeCondition(prompt.getValue().asText());
                assertClose(told.tokens(), golden.expected(prompt.getKey() + ".states"), 0, golden.tolerance());
                assertClose(told.vector(), golden.expected(prompt.getKey() + ".pooled"), 0, golden.tolerance());
            }
        }
    }

    @Tag("golden")
    @Test
    void thePredictionFollowsThePooledTextAndTheSizes() {
        Golden golden = Golden.of(CASE);
        try (PointerScope scope = new PointerScope();
                DiffusionModel model = DiffusionModel.load(golden.file("."), Golden.placement())) {
            Tensor zt = golden.input("zt");
            Tensor tokens = golden.expected("words.states").repeat(zt.size(0), 1, 1);
            Tensor vector = golden.expected("words.pooled").repeat(zt.size(0), 1);
            Teachers.Result result = Teachers.differentiate(
                    tokens,
                    golden.input("noise"),
                    leaf -> model.denoiser().predict(zt, golden.input("timesteps"), new Condition(leaf, vector)));
            Tensor expected = golden.expected("gradient");
            double gradientTolerance =
                    Math.max(1e-6, 1e-3 * expected.abs().max().item_double());
            assertClose(result.prediction(), golden.expected("prediction"), 0, 4 * golden.tolerance());
            assertClose(result.loss().to(ScalarType.Float), golden.expected("loss"), 0, golden.tolerance());
            assertClose(result.gradient(), expected, 0, gradientTolerance);
        }
    }

    /** What is not computed, and what is stored quantised, is named before anything else is asked of the folder. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    transformer | {"_class_name": "PixArtTransformer2DModel"} | PixArtTransformer2DModel
                    transformer | {"_class_name": "SanaTransformer2DModel", "guidance_embeds": true} | Sana Sprint
                    vae         | {"_class_name": "AutoencoderKLFlux2"}      | AutoencoderKLFlux2
                    vae         | {"_class_name": "AutoencoderKLQwenImage"}  | AutoencoderKLQwenImage
                    unet        | {"quantization_config": {"quant_method": "bitsandbytes"}} | bitsandbytes
                    """)
    void anotherClassIsNamed(String part, String config, String words, @TempDir Path folder) throws IOException {
        Files.createDirectories(folder.resolve(part));
        Files.writeString(folder.resolve(part).resolve("config.json"), config);
        Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\": \"SomePipeline\"}");
        assertThatThrownBy(() -> DiffusionModel.load(folder, Golden.placement()).close())
                .isInstanceOf(BadInputException.class)
                .hasMessageContainingAll(
                        folder.resolve(part).resolve("config.json").toString(), words);
    }

    @Test
    void quantisedFilesAreNamed(@TempDir Path folder) throws IOException {
        String header = "{\"x\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[0,2]}}";
        ByteBuffer fp8 = ByteBuffer.allocate(8 + header.length() + 2).order(ByteOrder.LITTLE_ENDIAN);
        fp8.putLong(header.length()).put(header.getBytes(StandardCharsets.US_ASCII));
        Path file = Files.write(folder.resolve("diffusion_pytorch_model.safetensors"), fp8.array());
        assertThatThrownBy(() -> TensorFile.open(file).close())
                .isInstanceOf(BadInputException.class)
                .hasMessageContainingAll(file.toString(), "tensor x", "F8_E4M3");
        Path gguf = Files.writeString(folder.resolve("flux1-dev-Q4_K_S.gguf"), "GGUF\u0003\0\0\0");
        for (ThrowingCallable opening : List.<ThrowingCallable>of(
                () -> TensorFile.open(gguf), () -> DiffusionModel.load(gguf, Golden.placement()))) {
            assertThatThrownBy(opening)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContainingAll(gguf.toString(), "GGUF");
        }
    }

    @Test
    void aVectorOfAnotherWidthIsRefused() {
        try (PointerScope scope = new PointerScope();
                DiffusionModel model = DiffusionModel.load(Golden.model(CASE), Golden.placement())) {
            Golden golden = Golden.resource(CASE);
            Tensor zt = golden.input("zt");
            Tensor tokens = golden.expected("words.states").repeat(zt.size(0), 1, 1);
            Condition wrong = new Condition(tokens, tokens.select(1, 0));
            assertThat(tokens.size(2))
                    .isNotEqualTo(golden.expected("words.pooled").size(1));
            assertThatThrownBy(() -> model.denoiser().predict(zt, golden.input("timesteps"), wrong))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("width");
        }
    }
}
