package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class InspectCommandTest {
    @Test
    void jsonTellsLayoutSizesAndParameters() throws IOException {
        StringWriter out = new StringWriter();
        int code = new CommandLine(new InspectCommand())
                .setOut(new PrintWriter(out))
                .execute(Golden.model("clip-hf-vit").toString(), "--json");
        assertThat(code).isZero();
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.path("format").asText()).isEqualTo("hf");
        assertThat(json.path("vision").path("tokens").asLong()).isEqualTo(17);
        assertThat(json.path("text").path("inputSize").asLong()).isEqualTo(49408);
        assertThat(json.path("parameters").path("visual_projection").asLong()).isEqualTo(24 * 32);
        assertThat(json.path("embeddingDim").asLong()).isEqualTo(24);
    }

    @Test
    void textNamesTheTowersOfOpenAiFiles() {
        StringWriter out = new StringWriter();
        int code = new CommandLine(new InspectCommand())
                .setOut(new PrintWriter(out))
                .execute(Golden.model("clip-openai-jit").resolve("ViT-jit.pt").toString());
        assertThat(code).isZero();
        assertThat(out.toString()).contains("openai", "images of 32, patches of 8, 17 tokens", "QUICK_GELU");
    }

    @Test
    void aRunIsNamedBeforeItsModel(@TempDir Path run) throws IOException {
        Files.writeString(run.resolve("recipe.yaml"), "");
        Path model = Files.createDirectory(run.resolve("clip"));
        for (String name : new String[] {"config.json", "model.safetensors"}) {
            Files.copy(Golden.model("clip-hf-vit").resolve(name), model.resolve(name));
        }
        StringWriter out = new StringWriter();
        int code = new CommandLine(new InspectCommand())
                .setOut(new PrintWriter(out))
                .execute(run.toString());
        assertThat(code).isZero();
        assertThat(out.toString()).startsWith("kind").contains("run of training, not finished", "layout");
    }

    /** Endings that are those of no model. */
    @Test
    void aTableForOtherProgramsIsNoModel(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("embeddings.npy"), "...");
        StringWriter out = new StringWriter();
        int code = new CommandLine(new InspectCommand())
                .setOut(new PrintWriter(out))
                .execute(file.toString());
        assertThat(code).isZero();
        assertThat(out.toString()).contains("npy", "diva search");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "sd21; diffusion model (StableDiffusionPipeline); unet UNet2DConditionModel; --diffusion",
                "flux1-dev; diffusion model (FluxPipeline); text_encoder_2 T5EncoderModel; diva train --diffusion",
                "sana; diffusion model (SanaPipeline); text_encoder Gemma2Model; diva train --diffusion",
                "sd35-medium; diffusion model (StableDiffusion3Pipeline); text_encoder_3 T5EncoderModel; --diffusion",
                "dinov2; DINOv2; 'width '; --dino",
                "zeroshot/classification/test/0.tar; images; count; --images",
                "dinov2/image.png; images; count; --images",
            })
    void otherThingsAreNamedWithTheirUse(String path, String kind, String fact, String use) throws IOException {
        StringWriter out = new StringWriter();
        String file = Golden.model(path.split("/")[0])
                .resolve(path.replaceFirst("[^/]*/?", ""))
                .toString();
        int code = new CommandLine(new InspectCommand())
                .setOut(new PrintWriter(out))
                .execute(file, "--json");
        assertThat(code).isZero();
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.path("kind").asText()).startsWith(kind);
        assertThat(json.toString()).contains(fact);
        assertThat(json.path("use").asText()).contains(use);
    }

    @Test
    void aTeacherThatIsNotComputedSaysSo(@TempDir Path folder) throws IOException {
        Files.createDirectories(folder.resolve("transformer"));
        Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\": \"PixArtSigmaPipeline\"}");
        Files.writeString(folder.resolve("transformer/config.json"), "{\"_class_name\": \"PixArtTransformer2DModel\"}");
        StringWriter out = new StringWriter();
        int code = new CommandLine(new InspectCommand())
                .setOut(new PrintWriter(out))
                .execute(folder.toString());
        assertThat(code).isZero();
        assertThat(out.toString()).containsPattern("use +none: .*PixArtTransformer2DModel");
    }

    /** Folders from the hub hold the picture of their page. */
    @Test
    void aPictureBesideAModelDoesNotHideIt(@TempDir Path folder) throws IOException {
        try (Stream<Path> files = Files.list(Golden.model("open_clip-vit-quickgelu"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName().toString()));
            }
        }
        Files.write(folder.resolve("page.png"), new byte[] {1});
        StringWriter out = new StringWriter();
        int code = new CommandLine(new InspectCommand())
                .setOut(new PrintWriter(out))
                .execute(folder.toString(), "--json");
        assertThat(code).isZero();
        assertThat(new ObjectMapper().readTree(out.toString()).path("format").asText())
                .isEqualTo("open_clip");
    }
}
