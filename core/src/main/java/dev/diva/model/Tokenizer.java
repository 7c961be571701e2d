package dev.diva.model;

import java.util.List;

/** Text to the ids that a text tower reads, padded and cut to a fixed length. */
public interface Tokenizer extends AutoCloseable {
    /** {@link #contextLength} ids of one text. */
    long[] encode(String text);

    /**
     * The same after the cleaning of the code that the benchmarks were scored with (OpenAI's and open_clip's), whatever the checkpoint's own
     * library leaves of a text: straight quotes, no HTML entities, one space between words.
     */
    long[] encodeAsBenchmarksDo(String text);

    /** Ids per text. */
    int contextLength();

    /** Number of different ids. */
    int vocabSize();

    /** The ids of several texts, one after the other. */
    default long[] encodeAll(List<String> texts) {
        long[] ids = new long[texts.size() * contextLength()];
        for (int i = 0; i < texts.size(); i++) {
            System.arraycopy(encode(texts.get(i)), 0, ids, i * contextLength(), contextLength());
        }
        return ids;
    }

    @Override
    void close();
}
