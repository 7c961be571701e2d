package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The command against the embeddings of transformers, its images as PNG files. */
class EncodeCommandTest {
    private final Golden golden = Golden.of("clip-hf-vit");
    private final StringWriter out = new StringWriter();
    private final List<Exception> failures = new ArrayList<>();

    @TempDir
    private Path folder;

    private Path images;

    @BeforeEach
    void writeImages() throws IOException {
        images = Files.createDirectory(folder.resolve("images"));
        try (PointerScope scope = new PointerScope()) {
            Tensor all = golden.input("images_u8");
            for (int i = 0; i < all.size(0); i++) {
                write(Tensors.toLongs(all.select(0, i)), images.resolve(i + ".png"));
            }
        }
    }

    @Test
    void imagesTextsAndTokensEqualTransformers() throws IOException {
        Path file = folder.resolve("e.safetensors");
        List<String> arguments = new ArrayList<>(arguments(file));
        arguments.addAll(List.of("--tokens", "--text"));
        golden.json("strings.json").forEach(string -> arguments.add(string.asText()));
        assertThat(execute(arguments)).isZero();
        try (PointerScope scope = new PointerScope();
                SafetensorsFile written = SafetensorsFile.open(file)) {
            Close.assertClose(written.read("image_embeds"), golden.expected("image_embeds_normalised"), 0, 5e-5);
            Close.assertClose(written.read("text_embeds"), golden.expected("text_embeds_normalised"), 0, 5e-5);
            Close.assertClose(written.read("tokens"), golden.expected("vision.tokens_projected"), 0, 5e-5);
            JsonNode names = new ObjectMapper().readTree(written.metadata().get("images"));
            assertThat(names.get(3).asText()).isEqualTo(images.resolve("3.png").toString());
        }
    }

    @Test
    void rawEmbeddingsAreNotNormalised() {
        Path file = folder.resolve("raw.safetensors");
        List<String> arguments = new ArrayList<>(arguments(file));
        arguments.add("--raw");
        assertThat(execute(arguments)).isZero();
        try (PointerScope scope = new PointerScope();
                SafetensorsFile written = SafetensorsFile.open(file)) {
            Close.assertClose(written.read("image_embeds"), golden.expected("image_embeds"), 0, 5e-5);
        }
    }

    @Test
    void brokenImageIsSkippedWithItsNameAndCounted() throws IOException {
        Files.writeString(images.resolve("broken.png"), "no image");
        List<String> arguments = new ArrayList<>(arguments(folder.resolve("e.json")));
        arguments.add("--json");
        assertThat(execute(arguments)).isZero();
        JsonNode report = new ObjectMapper().readTree(out.toString());
        assertThat(report.path("images").asInt()).isEqualTo(4);
        assertThat(report.path("skipped").size()).isEqualTo(1);
        assertThat(report.path("skipped").get(0).asText()).contains("broken.png");
    }

    @Test
    void brokenImageIsAnErrorWhenStrict() throws IOException {
        Files.writeString(images.resolve("broken.png"), "no image");
        List<String> arguments = new ArrayList<>(arguments(folder.resolve("e.json")));
        arguments.add("--strict");
        assertThat(execute(arguments)).isNotZero();
        assertThat(failures.get(0)).isInstanceOf(BadInputException.class).hasMessageContaining("broken.png");
        assertThat(folder.resolve("e.json")).doesNotExist();
    }

    @Test
    void existingOutputIsAnError() throws IOException {
        Path file = Files.writeString(folder.resolve("e.safetensors"), "mine");
        assertThat(execute(arguments(file))).isNotZero();
        assertThat(failures.get(0)).isInstanceOf(BadInputException.class).hasMessageContaining("exists");
        assertThat(file).hasContent("mine");
    }

    @Test
    void emptyFolderIsAnError() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        int code = execute(List.of(
                "--clip",
                Golden.path("clip-hf-vit").toString(),
                "--images",
                empty.toString(),
                "--out",
                folder.resolve("e.json").toString()));
        assertThat(code).isNotZero();
        assertThat(failures.get(0)).hasMessageContaining("no image");
    }

    private List<String> arguments(Path file) {
        return List.of(
                "--clip",
                Golden.path("clip-hf-vit").toString(),
                "--images",
                images.toString(),
                "--precision",
                "fp32",
                "--out",
                file.toString());
    }

    private int execute(List<String> arguments) {
        return new CommandLine(new EncodeCommand())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(new StringWriter()))
                .setExecutionExceptionHandler((e, command, result) -> {
                    failures.add(e);
                    return 3;
                })
                .execute(arguments.toArray(new String[0]));
    }

    private static void write(long[] chw, Path path) throws IOException {
        int size = (int) Math.round(Math.sqrt(chw.length / 3.0));
        int area = size * size;
        BufferedImage image = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < area; i++) {
            image.setRGB(i % size, i / size, (int) (chw[i] << 16 | chw[area + i] << 8 | chw[2 * area + i]));
        }
        ImageIO.write(image, "png", path.toFile());
    }
}
