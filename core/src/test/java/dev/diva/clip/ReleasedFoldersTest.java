package dev.diva.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Folders as the authors of GenHancer (config.json with pytorch_model.bin) and DCR released them: transformers' layout without its tokenizer. */
class ReleasedFoldersTest {
    private static final List<String> TEXTS = List.of("a photo of a cat", "two dogs, facing left.");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"clip-hf-vit-gelu, 'vocab.json merges.txt'", "siglip-hf, 'spiece.model tokenizer_config.json'"})
    void aPickledFolderIsTheModelThatWasSaved(String name, String tokenizer) throws IOException {
        Path model = Golden.model(name);
        copy(model, "config.json");
        Files.copy(Golden.model("../pickles/" + name + ".bin"), folder.resolve("pytorch_model.bin"));
        try (Clip saved = Clip.load(model);
                Clip released = Clip.load(folder)) {
            List<float[]> pixels = List.of(pixels(saved));
            assertThat(released.encodeImages(pixels)).isDeepEqualTo(saved.encodeImages(pixels));
            assertThat(released.notes()).hasSize(1).first().asString().contains("no preprocessor_config.json");
            assertThatThrownBy(() -> released.encodeTexts(TEXTS))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("no tokenizer: neither");
        }
        for (String file : tokenizer.split(" ")) {
            copy(model, file);
        }
        try (Clip saved = Clip.load(model);
                Clip released = Clip.load(folder)) {
            assertThat(released.encodeTexts(TEXTS)).isDeepEqualTo(saved.encodeTexts(TEXTS));
        }
    }

    /** 49408 ids are those of the vocabulary that OpenAI published; that it is assumed is told. */
    @Test
    void aFolderWithoutTokenizerHasThePublishedOne() throws IOException {
        Path model = Golden.model("clip-hf-vit");
        copy(model, "config.json");
        copy(model, "model.safetensors");
        try (Clip saved = Clip.load(model);
                Clip released = Clip.load(folder)) {
            assertThat(released.encodeTexts(TEXTS)).isDeepEqualTo(saved.encodeTexts(TEXTS));
            assertThat(released.notes())
                    .anyMatch(note -> note.contains("with 49408 ids the published vocabulary is assumed"));
            assertThat(saved.notes()).isEmpty();
        }
    }

    private void copy(Path model, String file) throws IOException {
        Files.copy(model.resolve(file), folder.resolve(file));
    }

    private static float[] pixels(Clip clip) {
        int side = Math.toIntExact(clip.config().vision().imageSize());
        float[] pixels = new float[3 * side * side];
        Random random = new Random(1);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) random.nextGaussian();
        }
        return pixels;
    }
}
