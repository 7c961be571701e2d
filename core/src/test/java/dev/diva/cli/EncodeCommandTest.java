package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.engine.Int8Linear;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import dev.diva.testing.Pictures;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The command against the embeddings of transformers, its images as PNG files. */
@Tag("golden")
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
                Pictures.writePng(Tensors.toLongs(all.select(0, i)), images.resolve(i + ".png"));
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
            Close.assertClose(
                    written.read("image_embeds"), golden.expected("image_embeds_normalised"), 0, golden.tolerance());
            Close.assertClose(
                    written.read("text_embeds"), golden.expected("text_embeds_normalised"), 0, golden.tolerance());
            Close.assertClose(
                    written.read("tokens"), golden.expected("vision.tokens_projected"), 0, golden.tolerance());
            assertThat(written.metadata()).containsEntry("precision", "fp32");
            JsonNode names = new ObjectMapper().readTree(written.metadata().get("images"));
            for (int i = 0; i < count(); i++) {
                assertThat(names.get(i).asText())
                        .isEqualTo(images.resolve(i + ".png").toString());
            }
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
            Close.assertClose(written.read("image_embeds"), golden.expected("image_embeds"), 0, golden.tolerance());
        }
    }

    @Test
    void brokenImageIsSkippedWithItsNameAndCounted() throws IOException {
        Files.writeString(images.resolve("broken.png"), "no image");
        List<String> arguments = new ArrayList<>(arguments(folder.resolve("e.json")));
        arguments.add("--json");
        assertThat(execute(arguments)).isZero();
        JsonNode report = new ObjectMapper().readTree(out.toString());
        assertThat(report.path("images").asInt()).isEqualTo(count());
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

    @Test
    void unreadableImagesAtTheEndAreReportedOnce() throws IOException {
        Files.writeString(images.resolve("y.png"), "no image");
        Files.writeString(images.resolve("z.jpg"), "");
        List<String> arguments = new ArrayList<>(arguments(folder.resolve("e.json")));
        arguments.addAll(List.of("--json", "--batch", "3"));
        assertThat(execute(arguments)).isZero();
        JsonNode report = new ObjectMapper().readTree(out.toString());
        assertThat(report.path("images").asInt()).isEqualTo(count());
        assertThat(report.path("skipped")).hasSize(2);
    }

    @Test
    void jsonHoldsTheSameNumbersAsSafetensors() throws IOException {
        Path json = folder.resolve("e.json");
        List<String> arguments = new ArrayList<>(arguments(json));
        arguments.addAll(List.of("--tokens", "--batch", "3"));
        assertThat(execute(arguments)).isZero();
        JsonNode written = new ObjectMapper().readTree(json.toFile());
        assertThat(written.path("images")).hasSize(count());
        try (PointerScope scope = new PointerScope()) {
            assertSame(written.path("image_embeds"), golden.expected("image_embeds_normalised"));
            assertSame(written.path("tokens"), golden.expected("vision.tokens_projected"));
        }
    }

    @Test
    void nothingIsLeftBesideTheOutput() throws IOException {
        Path target = Files.createDirectory(folder.resolve("target"));
        assertThat(execute(arguments(target.resolve("e.safetensors")))).isZero();
        try (var files = Files.list(target)) {
            assertThat(files).containsExactly(target.resolve("e.safetensors"));
        }
    }

    private void assertSame(JsonNode nested, Tensor expected) {
        List<Float> values = new ArrayList<>();
        flatten(nested, values);
        float[] actual = new float[values.size()];
        for (int i = 0; i < actual.length; i++) {
            actual[i] = values.get(i);
        }
        Close.assertClose(actual, Tensors.toFloats(expected), 0, golden.tolerance());
    }

    private static void flatten(JsonNode node, List<Float> values) {
        if (node.isNumber()) {
            values.add(node.floatValue());
        }
        node.forEach(child -> flatten(child, values));
    }

    /** A machine with the instructions encodes and says so; any other refuses before anything is written. */
    @Test
    void int8IsRefusedWhereItCrawls() throws IOException {
        Path file = folder.resolve("e.safetensors");
        List<String> arguments = new ArrayList<>(List.of("encode"));
        arguments.addAll(arguments(file));
        arguments.set(arguments.indexOf("fp32"), "int8");
        StringWriter err = new StringWriter();
        CommandLine diva = Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        int code = Main.run(diva, arguments.toArray(new String[0]));
        if (Int8Linear.isFast()) {
            assertThat(code).isZero();
            try (SafetensorsFile written = SafetensorsFile.open(file)) {
                assertThat(written.metadata()).containsEntry("precision", "int8");
            }
        } else {
            assertThat(code).isEqualTo(3);
            assertThat(err.toString().lines()).singleElement().asString().contains("int8", "VNNI", "take ");
            assertThat(file).doesNotExist();
        }
    }

    private int count() {
        try (PointerScope scope = new PointerScope()) {
            return Math.toIntExact(golden.input("images_u8").size(0));
        }
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
}
