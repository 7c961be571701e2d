package dev.diva.mllm.train;

import dev.diva.language.NextTokens;
import dev.diva.mllm.Prompt;
import java.util.Arrays;

/**
 * A conversation as the language model sees it, the image in its place.
 *
 * @param before ids in front of the image; all of them without one
 * @param imageTokens places of the image, fewer than it has where the sequence is cut inside it
 * @param after ids behind the image
 * @param labels of every place
 * @param isCut whether something did not fit
 */
record Sequence(long[] before, int imageTokens, long[] after, long[] labels, boolean isCut) {
    /**
     * Puts an image in, as LLaVA does: cut, padding ids taken out, the image put in, cut again.
     *
     * @param imageTokens that an image has
     * @param limit most places
     */
    static Sequence of(LabelledText text, int imageTokens, int limit) {
        LabelledText cut = text.cut(limit);
        long[] ids = new long[cut.ids().length];
        long[] labels = new long[ids.length + imageTokens];
        Arrays.fill(labels, NextTokens.NONE);
        int count = 0;
        int image = -1;
        for (int i = 0; i < ids.length; i++) {
            long id = cut.ids()[i];
            if (id == Prompt.IMAGE) {
                image = count;
            } else if (id != LabelledText.PAD) {
                labels[count + (image < 0 ? 0 : imageTokens)] = cut.labels()[i];
                ids[count++] = id;
            }
        }
        int split = image < 0 ? count : image;
        int places = count + (image < 0 ? 0 : imageTokens);
        int kept = Math.min(places, limit);
        int keptImage = image < 0 ? 0 : Math.max(0, Math.min(imageTokens, kept - split));
        long[] after = Arrays.copyOfRange(ids, split, split + Math.max(0, kept - split - keptImage));
        return new Sequence(
                Arrays.copyOf(ids, Math.min(split, kept)),
                keptImage,
                after,
                Arrays.copyOf(labels, kept),
                text.ids().length > limit || places > limit);
    }

    int length() {
        return labels.length;
    }

    /** Tokens that are learnt: each is foretold at the place before it, so that the first is none. */
    int labelled() {
        return (int) Arrays.stream(labels)
                .skip(1)
                .filter(label -> label != NextTokens.NONE)
                .count();
    }
}
