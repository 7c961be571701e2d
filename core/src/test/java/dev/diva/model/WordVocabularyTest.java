package dev.diva.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Words of shared beginnings and endings are one piece each; anything else is spelled in bytes. */
class WordVocabularyTest {
    private static final List<String> TEXTS = List.of("a star", "stars at the start", "flat-roofed, 12 Carts");

    @TempDir
    Path folder;

    private ClipTokenizer tokenizer() throws IOException {
        WordVocabulary.of(TEXTS).write(folder, 12);
        return ClipTokenizer.open(folder, ClipTokenizer.Flavour.TRANSFORMERS);
    }

    private static long pieces(long[] ids, long end) {
        int count = 0;
        while (ids[count + 1] != end) {
            count++;
        }
        return count;
    }

    @Test
    void eachWordIsOnePiece() throws IOException {
        int end = WordVocabulary.of(TEXTS).size() - 1;
        try (ClipTokenizer tokenizer = tokenizer()) {
            for (String word :
                    List.of("a", "star", "stars", "at", "the", "start", "flat", "-", "roofed", "1", "carts")) {
                assertThat(pieces(tokenizer.encode(word), end)).as(word).isEqualTo(1);
            }
            assertThat(pieces(tokenizer.encode("the flat-roofed start"), end)).isEqualTo(5);
        }
    }

    @Test
    void otherWordsFallApart() throws IOException {
        int end = WordVocabulary.of(TEXTS).size() - 1;
        try (ClipTokenizer tokenizer = tokenizer()) {
            assertThat(pieces(tokenizer.encode("zzz"), end)).isEqualTo(3);
        }
    }

    @Test
    void startEndAndPaddingAreTheLastIds() throws IOException {
        WordVocabulary vocabulary = WordVocabulary.of(TEXTS);
        try (ClipTokenizer tokenizer = tokenizer()) {
            long[] ids = tokenizer.encode("star");
            assertThat(ids).hasSize(12);
            assertThat(ids[0]).isEqualTo(vocabulary.size() - 2);
            assertThat(ids[2]).isEqualTo(vocabulary.size() - 1);
            assertThat(ids[11]).isEqualTo(vocabulary.size() - 1);
        }
    }
}
