package dev.diva.mllm;

import dev.diva.language.LlamaTokenizer;
import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * Ids of a prompt.
 *
 * @param ids of the text, {@link #IMAGE} in the place of an image
 */
public record Prompt(long... ids) {
    /** Stands for an image, as in LLaVA's code. */
    public static final long IMAGE = -200;

    public Prompt {
        ids = ids.clone();
    }

    /** As the hub's processor does: the image is a token of the vocabulary. */
    static Prompt whole(String text, LlamaTokenizer tokenizer, long imageTokenId) {
        return new Prompt(Arrays.stream(tokenizer.encode(text))
                .map(id -> id == imageTokenId ? IMAGE : id)
                .toArray());
    }

    /** As LLaVA does: the text before and behind an image is tokenised apart, and begins once. */
    public static Prompt inParts(String text, LlamaTokenizer tokenizer) {
        String[] parts = text.split(PromptTemplate.IMAGE, -1);
        long[] begin = tokenizer.encode("");
        LongStream ids = Arrays.stream(tokenizer.encode(parts[0]));
        for (int i = 1; i < parts.length; i++) {
            long[] next = tokenizer.encode(parts[i]);
            ids = LongStream.concat(
                    LongStream.concat(ids, LongStream.of(IMAGE)),
                    Arrays.stream(next).skip(begin.length));
        }
        return new Prompt(ids.toArray());
    }

    long images() {
        return Arrays.stream(ids).filter(id -> id == IMAGE).count();
    }

    /** Up to the image, without it; everything where there is none. */
    long[] before() {
        return Arrays.stream(ids).takeWhile(id -> id != IMAGE).toArray();
    }

    /** What follows the image. */
    long[] after() {
        return Arrays.stream(ids).dropWhile(id -> id != IMAGE).skip(1).toArray();
    }

    /** The ids with every image repeated, as the hub's processor gives them. */
    long[] expanded(long imageTokenId, long tokensOfImage) {
        return Arrays.stream(ids)
                .flatMap(id ->
                        id == IMAGE ? LongStream.generate(() -> imageTokenId).limit(tokensOfImage) : LongStream.of(id))
                .toArray();
    }

    @Override
    public long[] ids() {
        return ids.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Prompt prompt && Arrays.equals(ids, prompt.ids);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(ids);
    }
}
