package dev.diva.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.engine.Tensors;
import dev.diva.model.ClipTokenizer.Flavour;
import dev.diva.testing.Golden;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClipTokenizerTest {
    private final Golden golden = Golden.of("tokenizer");

    @Test
    void folderGivesTheIdsOfTransformersFast() {
        try (ClipTokenizer tokenizer = ClipTokenizer.open(Golden.path("clip-hf-vit"), Flavour.TRANSFORMERS)) {
            assertIds(tokenizer, "hf_fast");
        }
    }

    @Test
    void shortVocabularyGivesTheIdsOfTransformersFast() {
        try (ClipTokenizer tokenizer = ClipTokenizer.open(Golden.path("clip-hf-vit-gelu"), Flavour.TRANSFORMERS)) {
            assertIds(tokenizer, "hf_fast_short_vocabulary");
        }
    }

    @Test
    void slowFlavourGivesTheIdsOfTransformersWithFtfy() {
        try (ClipTokenizer tokenizer = ClipTokenizer.open(Golden.path("clip-hf-vit"), Flavour.TRANSFORMERS_SLOW)) {
            assertIds(tokenizer, "hf_slow");
        }
    }

    @Test
    void publishedVocabularyGivesTheIdsOfOpenAi() {
        try (ClipTokenizer tokenizer = ClipTokenizer.published(Flavour.OPENAI, 77)) {
            assertIds(tokenizer, "openai_clip");
        }
    }

    @Test
    void publishedVocabularyGivesTheIdsOfOpenClip() {
        try (ClipTokenizer tokenizer = ClipTokenizer.published(Flavour.OPEN_CLIP, 77)) {
            assertIds(tokenizer, "open_clip");
        }
    }

    @Test
    void stableDiffusion21PadsWithExclamationMark() {
        Golden encoder = Golden.of("text-encoder");
        try (PointerScope scope = new PointerScope();
                ClipTokenizer tokenizer =
                        ClipTokenizer.open(Golden.path("sd21").resolve("tokenizer"), Flavour.TRANSFORMERS_SLOW)) {
            assertThat(tokenizer.padId()).isZero();
            assertThat(tokenizer.encode("a photo of a ."))
                    .isEqualTo(Tensors.toLongs(encoder.expected("sd21.empty.input_ids")));
            assertThat(tokenizer.encode("a photo of two red cats on a table."))
                    .isEqualTo(Tensors.toLongs(encoder.expected("sd21.words.input_ids")));
        }
    }

    @Test
    void folderWithoutTokenizerNamesTheMissingFiles(@TempDir Path folder) {
        assertThatThrownBy(() -> ClipTokenizer.open(folder, Flavour.TRANSFORMERS))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("vocab.json with merges.txt")
                .hasMessageContaining(folder.toString());
    }

    private void assertIds(ClipTokenizer tokenizer, String key) {
        try (PointerScope scope = new PointerScope()) {
            long[] expected = Tensors.toLongs(golden.expected(key));
            List<String> strings = strings();
            assertThat(expected).hasSize(strings.size() * 77);
            for (int i = 0; i < strings.size(); i++) {
                assertThat(tokenizer.encode(strings.get(i)))
                        .as("string %d: %s", i, strings.get(i))
                        .isEqualTo(Arrays.copyOfRange(expected, i * 77, (i + 1) * 77));
            }
        }
    }

    private List<String> strings() {
        List<String> strings = new ArrayList<>();
        for (JsonNode string : golden.json("strings.json")) {
            strings.add(string.asText());
        }
        return strings;
    }
}
