package dev.diva;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.clip.Clip;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import dev.diva.testing.Pictures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example of the README: it is this code, and it gives what transformers gives. */
class LibraryExampleTest {
    @TempDir
    private Path folder;

    private static float similarity(Path model, Path photo) {
        // README: begin
        try (Clip clip = Clip.load(model)) {
            float[] picture = clip.embed(photo)[0]; // a Path; also of a BufferedImage
            float[] caption = clip.embed(List.of("a photo of a cat"))[0];
            float cosine = 0; // both have length 1
            for (int i = 0; i < picture.length; i++) {
                cosine += picture[i] * caption[i];
            }
            return cosine;
        }
        // README: end
    }

    @Tag("golden")
    @Test
    void givesTheSimilarityOfTransformers() throws IOException {
        Golden golden = Golden.of("clip-hf-vit");
        Path photo = folder.resolve("photo.png");
        try (PointerScope scope = new PointerScope()) {
            Pictures.writePng(Tensors.toLongs(golden.input("images_u8").select(0, 0)), photo);
            float[] picture =
                    Tensors.toFloats(golden.expected("image_embeds_normalised").select(0, 0));
            assertThat(golden.json("strings.json").get(1).asText()).isEqualTo("a photo of a cat");
            float[] caption =
                    Tensors.toFloats(golden.expected("text_embeds_normalised").select(0, 1));
            float expected = 0;
            for (int i = 0; i < picture.length; i++) {
                expected += picture[i] * caption[i];
            }
            float[] actual = {similarity(Golden.path("clip-hf-vit"), photo)};
            Close.assertClose(actual, new float[] {expected}, 0, golden.tolerance());
        }
    }

    @Test
    void readmeShowsThisVeryCode() throws IOException {
        String source = Files.readString(Path.of("src/test/java/dev/diva/LibraryExampleTest.java"));
        String example = source.substring(
                source.indexOf("// README: begin\n") + "// README: begin\n".length(),
                source.indexOf("        // README: end"));
        String dedented =
                example.lines().map(line -> line.replaceFirst("^ {8}", "")).collect(Collectors.joining("\n"));
        assertThat(Files.readString(Path.of("../README.md"))).contains("```java\n" + dedented + "\n```");
    }
}
