package dev.diva.mllm.train;

import dev.diva.language.NextTokens;
import dev.diva.mllm.Prompt;
import java.util.Arrays;

/**
 * Ids of a conversation, and which of them are learnt.
 *
 * @param ids {@link Prompt#IMAGE} stands for an image
 * @param labels the same ids, {@link NextTokens#NONE} where nothing is learnt
 * @param isMismatched whether its rounds tokenised alone do not add up to the whole: LLaVA learns nothing of it then
 */
record LabelledText(long[] ids, long[] labels, boolean isMismatched) {
    /** The id that pads, which LLaVA takes out wherever it stands. */
    static final long PAD = 0;

    /** Of which nothing is learnt. */
    static LabelledText masked(long[] ids, boolean isMismatched) {
        long[] labels = new long[ids.length];
        Arrays.fill(labels, NextTokens.NONE);
        return new LabelledText(ids, labels, isMismatched);
    }

    /** At most so many ids. */
    LabelledText cut(int limit) {
        return ids.length <= limit
                ? this
                : new LabelledText(Arrays.copyOf(ids, limit), Arrays.copyOf(labels, limit), isMismatched);
    }
}
