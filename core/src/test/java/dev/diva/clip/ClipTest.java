package dev.diva.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.clip.Clip.Scale;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import dev.diva.testing.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The facade on every layout, against the original library's embeddings. */
class ClipTest {
    @Tag("golden")
    @ParameterizedTest
    @CsvSource({
        "clip-hf-vit, HF, image_embeds, text_embeds",
        "clip-hf-vit-gelu, HF, image_embeds, text_embeds",
        "siglip-hf, HF, vision.pooled, text.pooled",
        "siglip-open_clip/open_clip_model.safetensors, OPEN_CLIP, image_features, text_features",
        "siglip-open_clip/open_clip_pytorch_model.bin, OPEN_CLIP, image_features, text_features",
        "open_clip-vit-quickgelu, OPEN_CLIP, image_features, text_features",
        "open_clip-vit-gelu/open_clip_model.safetensors, OPEN_CLIP, image_features, text_features",
        "open_clip-vit-gelu/open_clip_pytorch_model.bin, OPEN_CLIP, image_features, text_features",
        "open_clip-vit-gelu/epoch_1.pt, OPEN_CLIP, image_features, text_features",
    })
    void embeddingsAndLogitsEqualTheOriginalLibrary(
            String path, CheckpointFormat format, String imageKey, String textKey) {
        Golden golden = Golden.of(path.split("/")[0]);
        try (PointerScope scope = new PointerScope();
                Clip clip = Clip.load(Golden.path(path))) {
            assertThat(clip.format()).isEqualTo(format);
            List<float[]> pixels = rows(golden.input("pixel_values"));
            List<long[]> ids = ids(golden.input("input_ids"));
            assertRows(clip.encodeImages(pixels, Scale.RAW), golden.expected(imageKey), golden.tolerance());
            assertRows(clip.encodeIds(ids, Scale.RAW), golden.expected(textKey), golden.tolerance());
            assertRows(
                    logits(clip, clip.encodeImages(pixels), clip.encodeIds(ids, Scale.UNIT)),
                    golden.expected("logits_per_image"),
                    golden.tolerance());
        }
    }

    @Tag("golden")
    @ParameterizedTest
    @CsvSource({"ViT-jit.pt, jit", "ViT-state-dict.pt, state_dict"})
    void openAiFilesGiveTheEmbeddingsOfOpenAi(String file, String key) {
        Golden golden = Golden.of("clip-openai-jit");
        try (PointerScope scope = new PointerScope();
                Clip clip = Clip.load(golden.file(file))) {
            assertThat(clip.format()).isEqualTo(CheckpointFormat.OPENAI);
            List<float[]> pixels = rows(golden.input(key + ".pixel_values"));
            List<long[]> ids = ids(golden.input(key + ".input_ids"));
            assertRows(
                    clip.encodeImages(pixels, Scale.RAW), golden.expected(key + ".image_features"), golden.tolerance());
            assertRows(clip.encodeTokens(pixels), golden.expected(key + ".tokens_projected"), golden.tolerance());
            assertRows(clip.encodeIds(ids, Scale.RAW), golden.expected(key + ".text_features"), golden.tolerance());
            assertRows(
                    logits(clip, clip.encodeImages(pixels), clip.encodeIds(ids, Scale.UNIT)),
                    golden.expected(key + ".logits_per_image"),
                    golden.tolerance());
        }
    }

    @Tag("golden")
    @ParameterizedTest
    @CsvSource({
        "clip-hf-vit, text_embeds",
        "clip-hf-vit-gelu, text_embeds",
        "siglip-hf, text.pooled",
        "siglip-open_clip/open_clip_model.safetensors, text_features",
        "open_clip-vit-quickgelu, text_features",
    })
    void textsAreTokenisedAsByTheOriginalLibrary(String path, String key) {
        Golden golden = Golden.of(path.split("/")[0]);
        List<String> strings = new ArrayList<>();
        for (JsonNode string : golden.json("strings.json")) {
            strings.add(string.asText());
        }
        try (PointerScope scope = new PointerScope();
                Clip clip = Clip.load(Golden.path(path))) {
            List<long[]> expected = ids(golden.input("input_ids"));
            for (int i = 0; i < strings.size(); i++) {
                assertThat(clip.tokenizer().encode(strings.get(i)))
                        .as(strings.get(i))
                        .isEqualTo(expected.get(i));
            }
            assertRows(clip.encodeTexts(strings, Scale.RAW), golden.expected(key), golden.tolerance());
        }
    }

    @Tag("golden")
    @ParameterizedTest
    @ValueSource(strings = {"open_clip-vit-quickgelu", "open_clip-vit-gelu/open_clip_model.safetensors"})
    void openClipTokensAreNormedAndProjected(String path) {
        Golden golden = Golden.of(path.split("/")[0]);
        try (PointerScope scope = new PointerScope();
                Clip clip = Clip.load(Golden.path(path))) {
            assertRows(
                    clip.encodeTokens(rows(golden.input("pixel_values"))),
                    golden.expected("vision.tokens_projected"),
                    golden.tolerance());
        }
    }

    @Test
    void preprocessingIsThatOfTheCheckpoint() {
        try (Clip clip = Clip.load(Golden.model("siglip-hf"))) {
            Preprocessing siglip = clip.preprocessing();
            assertThat(siglip.resize()).isEqualTo(Preprocessing.Resize.SQUASH);
            assertThat(siglip.mean()).containsExactly(0.5f, 0.5f, 0.5f);
        }
        try (Clip clip = Clip.load(Golden.model("open_clip-vit-quickgelu"))) {
            assertThat(clip.preprocessing().resize()).isEqualTo(Preprocessing.Resize.SHORTEST_CROP);
            assertThat(clip.preprocessing().convertsFirst()).isFalse();
            assertThat(clip.preprocessing().imageSize()).isEqualTo(32);
        }
    }

    private static Set<ScalarType> typesOfQueries(Clip clip) {
        return clip.weights().tensors().entrySet().stream()
                .filter(tensor -> tensor.getKey().endsWith("q_proj.weight"))
                .map(tensor -> tensor.getValue().scalar_type().intern())
                .collect(Collectors.toSet());
    }

    /** Files of fp32 and fp16; what a call converts has the bits of what is converted once. */
    @ParameterizedTest
    @CsvSource({
        "clip-hf-vit, BF16",
        "siglip-hf, BF16",
        "clip-openai-jit/ViT-jit.pt, FP32",
        "clip-openai-jit/ViT-jit.pt, BF16"
    })
    void whatIsUsedOnceGivesTheSameEmbeddings(String path, Precision precision) {
        Clip.Options options = Clip.Options.DEFAULT.withPrecision(precision);
        try (Clip kept = Clip.load(Golden.path(path), options);
                Clip once = Clip.load(Golden.path(path), options.withUsedOnce(true))) {
            int size = Math.toIntExact(kept.config().vision().imageSize());
            float[] pixels = new float[3 * size * size];
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = i % 17 / 8f - 1;
            }
            List<float[]> images = List.of(pixels);
            assertThat(typesOfQueries(kept)).containsOnly(precision.dtype().intern());
            assertThat(typesOfQueries(once)).doesNotContain(precision.dtype().intern());
            assertThat(once.encodeImages(images)).isDeepEqualTo(kept.encodeImages(images));
            assertThat(once.encodeTokens(images)).isDeepEqualTo(kept.encodeTokens(images));
        }
    }

    @Test
    void tokenizerThatDoesNotFitTheTextTowerIsAnError() {
        try (Clip clip = Clip.load(Golden.model("open_clip-vit-gelu/open_clip_model.safetensors"))) {
            assertThatThrownBy(() -> clip.encodeTexts(List.of("a cat")))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("49408 ids")
                    .hasMessageContaining("300 ids");
        }
    }

    @Test
    void aTokenizerThatWasNotSavedIsThePublishedOneAndThatIsTold(@TempDir Path folder) throws IOException {
        for (String file : new String[] {"config.json", "model.safetensors"}) {
            Files.copy(Golden.model("clip-hf-vit").resolve(file), folder.resolve(file));
        }
        List<String> texts = List.of("a cat", "Two cats\u2019 tails");
        try (Clip whole = Clip.load(Golden.model("clip-hf-vit"));
                Clip clip = Clip.load(folder)) {
            assertThat(clip.encodeTexts(texts)).isDeepEqualTo(whole.encodeTexts(texts));
            assertThat(clip.notes()).anyMatch(note -> note.contains("the published vocabulary is assumed"));
            assertThat(whole.notes()).noneMatch(note -> note.contains("vocabulary"));
        }
    }

    /** It is read again to the same bits, and is gone until then: without its file it cannot be. */
    @Test
    void aTextTowerThatIsGivenUpIsReadAgain(@TempDir Path folder) throws IOException {
        for (String file : List.of("config.json", "vocab.json", "merges.txt", "model.safetensors")) {
            Files.copy(Golden.path("clip-hf-vit").resolve(file), folder.resolve(file));
        }
        List<String> strings = List.of("a photo of a cat", "two dogs");
        try (Clip clip = Clip.load(folder)) {
            float[][] first = clip.encodeTexts(strings);
            clip.releaseTexts();
            assertThat(clip.encodeTexts(strings)).isDeepEqualTo(first);
            Files.delete(folder.resolve("model.safetensors"));
            assertThat(clip.encodeTexts(strings)).isDeepEqualTo(first);
            clip.releaseTexts();
            assertThatThrownBy(() -> clip.encodeTexts(strings)).hasMessageContaining("model.safetensors");
        }
    }

    @Test
    void memoryStaysFlatOverManyBatches() {
        Golden golden = Golden.resource("clip-hf-vit");
        try (PointerScope scope = new PointerScope();
                Clip clip = Clip.load(Golden.model("clip-hf-vit"))) {
            List<float[]> pixels = rows(golden.input("pixel_values"));
            assertThat(Memory.growth(50, () -> clip.encodeImages(pixels))).isLessThan(5L << 20);
        }
    }

    private static float[][] logits(Clip clip, float[][] images, float[][] texts) {
        float[][] logits = new float[images.length][texts.length];
        for (int i = 0; i < images.length; i++) {
            for (int j = 0; j < texts.length; j++) {
                double cosine = 0;
                for (int k = 0; k < images[i].length; k++) {
                    cosine += (double) images[i][k] * texts[j][k];
                }
                logits[i][j] = (float) (cosine * clip.logitScale() + clip.logitBias());
            }
        }
        return logits;
    }

    private static void assertRows(float[][] actual, Tensor expected, double tolerance) {
        assertThat((long) actual.length).isEqualTo(expected.size(0));
        float[] all = Tensors.toFloats(expected);
        int width = all.length / actual.length;
        for (int i = 0; i < actual.length; i++) {
            Close.assertClose(actual[i], Arrays.copyOfRange(all, i * width, (i + 1) * width), 0, tolerance);
        }
    }

    private static List<float[]> rows(Tensor tensor) {
        List<float[]> rows = new ArrayList<>();
        for (long i = 0; i < tensor.size(0); i++) {
            rows.add(Tensors.toFloats(tensor.select(0, i)));
        }
        return rows;
    }

    private static List<long[]> ids(Tensor tensor) {
        List<long[]> rows = new ArrayList<>();
        for (long i = 0; i < tensor.size(0); i++) {
            rows.add(Tensors.toLongs(tensor.select(0, i)));
        }
        return rows;
    }
}
