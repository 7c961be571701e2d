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
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClipTokenizerTest {
    @Test
    @Tag("golden")
    void folderGivesTheIdsOfTransformersFast() {
        try (ClipTokenizer tokenizer = ClipTokenizer.open(Golden.path("clip-hf-vit"), Flavour.TRANSFORMERS)) {
            assertIds(tokenizer::encode, "hf_fast");
        }
    }

    @Test
    @Tag("golden")
    void shortVocabularyGivesTheIdsOfTransformersFast() {
        try (ClipTokenizer tokenizer = ClipTokenizer.open(Golden.path("clip-hf-vit-gelu"), Flavour.TRANSFORMERS)) {
            assertIds(tokenizer::encode, "hf_fast_short_vocabulary");
        }
    }

    @Test
    @Tag("golden")
    void slowFlavourGivesTheIdsOfTransformersWithFtfy() {
        try (ClipTokenizer tokenizer = ClipTokenizer.open(Golden.path("clip-hf-vit"), Flavour.TRANSFORMERS_SLOW)) {
            assertIds(tokenizer::encode, "hf_slow");
        }
    }

    @Test
    @Tag("golden")
    void publishedVocabularyGivesTheIdsOfOpenAi() {
        try (ClipTokenizer tokenizer = ClipTokenizer.published(Flavour.OPENAI, ClipTokenizer.CONTEXT_LENGTH)) {
            assertIds(tokenizer::encode, "openai_clip");
        }
    }

    @Test
    @Tag("golden")
    void publishedVocabularyGivesTheIdsOfOpenClip() {
        try (ClipTokenizer tokenizer = ClipTokenizer.published(Flavour.OPEN_CLIP, ClipTokenizer.CONTEXT_LENGTH)) {
            assertIds(tokenizer::encode, "open_clip");
        }
    }

    /** Of the layouts' own ids transformers' differ for HTML, ligatures and curly quotes; those of a score do not, but for the padding. */
    @Test
    @Tag("golden")
    void benchmarksSeeTheIdsOfOpenAiWhateverTheLayout() {
        try (ClipTokenizer fast = ClipTokenizer.open(Golden.path("clip-hf-vit"), Flavour.TRANSFORMERS);
                ClipTokenizer openAi = ClipTokenizer.published(Flavour.OPENAI, ClipTokenizer.CONTEXT_LENGTH);
                ClipTokenizer openClip = ClipTokenizer.published(Flavour.OPEN_CLIP, ClipTokenizer.CONTEXT_LENGTH)) {
            assertIds(openAi::encodeAsBenchmarksDo, "openai_clip");
            assertIds(openClip::encodeAsBenchmarksDo, "open_clip");
            for (String text : strings(Golden.of("tokenizer"))) {
                assertThat(upToEnd(fast.encodeAsBenchmarksDo(text))).as(text).isEqualTo(upToEnd(openAi.encode(text)));
            }
        }
    }

    /** What the text tower sees: the end is the highest id of CLIP's vocabularies, and behind the first one nothing is read. */
    private static long[] upToEnd(long[] ids) {
        long end = Arrays.stream(ids).max().orElseThrow();
        return Arrays.stream(ids).takeWhile(id -> id != end).toArray();
    }

    @Test
    @Tag("golden")
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

    /** Right: open_clip 3.3.0's clean function "canonicalize" with ftfy 6.3.1. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Two dogs\u2019 _big_ \u201cball\u201d &amp; it's 5 o\u2019clock! | two dogs big ball its 5 oclock",
                "A \u201ccurly\u201d dog\u2019s_ball &amp; more\u2014dash! | a curly dogs ball more\u2014dash",
                "\ufb01ne \ufb02at\u3000wide \uff21\uff22\uff23 | fine flat wide abc",
                "don`t $5 a^b~d | dont 5 abd",
                "\u00bfQu\u00e9? | \u00bfqu\u00e9"
            })
    void canonicalTextIsThatOfOpenClip(String text, String right) {
        assertThat(TextCleaning.CANONICALIZE.apply(text)).isEqualTo(right);
    }

    @Test
    void folderWithoutTokenizerNamesTheMissingFiles(@TempDir Path folder) {
        assertThatThrownBy(() -> ClipTokenizer.open(folder, Flavour.TRANSFORMERS))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("vocab.json with merges.txt")
                .hasMessageContaining(folder.toString());
    }

    private static void assertIds(Function<String, long[]> tokenizer, String key) {
        Golden golden = Golden.of("tokenizer");
        try (PointerScope scope = new PointerScope()) {
            long[] expected = Tensors.toLongs(golden.expected(key));
            List<String> strings = strings(golden);
            int length = expected.length / strings.size();
            for (int i = 0; i < strings.size(); i++) {
                assertThat(tokenizer.apply(strings.get(i)))
                        .as("string %d: %s", i, strings.get(i))
                        .isEqualTo(Arrays.copyOfRange(expected, i * length, (i + 1) * length));
            }
        }
    }

    private static List<String> strings(Golden golden) {
        List<String> strings = new ArrayList<>();
        for (JsonNode string : golden.json("strings.json")) {
            strings.add(string.asText());
        }
        return strings;
    }
}
