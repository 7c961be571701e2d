package dev.diva.model;

import java.io.IOException;
import java.nio.file.Path;

/** Writes OpenAI's vocabulary as the files that transformers reads, for checkpoints that come without them. */
public final class PublishedVocabulary {
    /** Number of its ids. */
    public static final long SIZE = 49408;

    private PublishedVocabulary() {}

    /** Writes vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json. */
    public static void write(Path folder, int contextLength) throws IOException {
        VocabularyFiles.write(ClipVocabulary.published(), folder, contextLength);
    }
}
