package dev.diva.mllm.train;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What is told of the data before the first step. */
final class DataReport {
    private static final int TOKENISED = 200;

    private DataReport() {}

    /**
     * Lines on what the file alone tells: samples that cannot be used, ids that are there more than once.
     *
     * @param maxBadShare of samples that may be left out
     * @throws BadInputException when more cannot be used
     */
    static List<String> ofFile(ConversationFile data, double maxBadShare) {
        List<String> lines = new ArrayList<>();
        Map<Integer, String> unusable = data.unusable();
        if (!unusable.isEmpty()) {
            Map.Entry<Integer, String> first = unusable.entrySet().iterator().next();
            String said = unusable.size() + " of " + data.size() + " samples cannot be used";
            String example = "; the first: " + data.name(first.getKey()) + " " + first.getValue();
            if (unusable.size() > maxBadShare * data.size() || unusable.size() == data.size()) {
                throw new BadInputException(data.path() + ": " + said + ", more than the limit of " + maxBadShare
                        + " (--max-bad-share)" + example);
            }
            lines.add("warning: " + said + " and are left out" + example);
        }
        List<String> repeated = data.repeated();
        if (!repeated.isEmpty()) {
            lines.add("warning: " + repeated.size() + " samples have an id that an earlier one has; the first: "
                    + repeated.get(0) + ". Each is learnt as a sample of its own");
        }
        return lines;
    }

    /**
     * Lines on what becomes of some samples, evenly over the file, when they are tokenised.
     *
     * @throws BadInputException when none of them holds anything to learn
     */
    static List<String> ofTexts(ConversationFile data, Labelling labelling, int imageTokens) {
        List<String> lines = new ArrayList<>();
        int count = Math.min(TOKENISED, data.size());
        List<String> mismatched = new ArrayList<>();
        List<String> cut = new ArrayList<>();
        int looked = 0;
        int labelled = 0;
        for (int i = 0; i < count; i++) {
            int index = (int) ((long) i * data.size() / count);
            if (data.unusable().containsKey(index)) {
                continue;
            }
            LabelledText text = labelling.of(data.at(index));
            Sequence sequence = Sequence.of(text, imageTokens, labelling.limit());
            looked++;
            labelled += sequence.labelled() > 0 ? 1 : 0;
            if (text.isMismatched()) {
                mismatched.add(data.name(index));
            }
            if (sequence.isCut()) {
                cut.add(data.name(index));
            }
        }
        if (looked > 0 && labelled == 0) {
            throw new BadInputException(data.path() + ": none of " + looked + " samples holds anything to learn"
                    + (mismatched.isEmpty()
                            ? ""
                            : ", " + mismatched.size() + " because of a tokenization mismatch: is this the model's own"
                                    + " tokenizer?"));
        }
        tell(lines, mismatched, looked, "have a tokenization mismatch, so that nothing of them is learnt");
        tell(lines, cut, looked, "are longer than " + labelling.limit() + " places and are cut there");
        return lines;
    }

    private static void tell(List<String> lines, List<String> names, int looked, String what) {
        if (!names.isEmpty()) {
            lines.add(
                    "warning: " + names.size() + " of " + looked + " samples " + what + "; the first: " + names.get(0));
        }
    }
}
