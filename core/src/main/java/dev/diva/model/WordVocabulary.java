package dev.diva.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A short vocabulary in CLIP's format in which each of the given words is one piece; any other text falls apart into bytes. For
 * small models that are trained from nothing.
 */
public final class WordVocabulary {
    /** What CLIP takes for a word: letters, one digit, or other signs. */
    private static final Pattern WORD = Pattern.compile("\\p{L}+|\\p{N}|[^\\s\\p{L}\\p{N}]+");

    private final ClipVocabulary vocabulary;

    private WordVocabulary(ClipVocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    /** The vocabulary of all words of some texts of ASCII letters. */
    public static WordVocabulary of(Collection<String> texts) {
        Set<String> words = new TreeSet<>();
        for (String text : texts) {
            WORD.matcher(text.toLowerCase(Locale.ROOT))
                    .results()
                    .map(MatchResult::group)
                    .forEach(words::add);
        }
        Set<String> merges = new LinkedHashSet<>();
        for (String word : words) {
            addMerges(word, merges);
        }
        return new WordVocabulary(ClipVocabulary.ofMerges(List.copyOf(merges)));
    }

    /** Number of its ids; the last is the end of text. */
    public int size() {
        return vocabulary.ids().size();
    }

    /** Writes vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json. */
    public void write(Path folder, int contextLength) throws IOException {
        VocabularyFiles.write(vocabulary, folder, contextLength);
    }

    /** Joins what earlier merges leave of the word, from the left; later merges never undo how an earlier word is joined. */
    private static void addMerges(String word, Set<String> merges) {
        List<String> pieces = new ArrayList<>(List.of(word.split("")));
        pieces.set(pieces.size() - 1, pieces.get(pieces.size() - 1) + "</w>");
        for (String merge : merges) {
            String[] pair = merge.split(" ");
            for (int i = 0; i + 1 < pieces.size(); i++) {
                if (pieces.get(i).equals(pair[0]) && pieces.get(i + 1).equals(pair[1])) {
                    pieces.set(i, pair[0] + pieces.remove(i + 1));
                }
            }
        }
        while (pieces.size() > 1) {
            merges.add(pieces.get(0) + " " + pieces.get(1));
            pieces.set(0, pieces.get(0) + pieces.remove(1));
        }
    }
}
