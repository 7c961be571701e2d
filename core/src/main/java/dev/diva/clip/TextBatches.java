package dev.diva.clip;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How texts go through a causal tower with little work: what many of them begin with is computed once, and texts of nearly the same length
 * go together. Plain arithmetic on ids that end with the last one that counts.
 */
final class TextBatches {
    /** What another pass costs beside its own tokens, in tokens: every weight is read once more. */
    private static final int PASS = 64;

    /** Tokens that a longer prefix has to save: its own pass, and the smaller batches it leaves. */
    private static final int WORTH_A_GROUP = 4 * PASS;

    private final List<long[]> texts;
    private final int maxTokens;
    private final List<Group> groups = new ArrayList<>();
    private final List<Integer> alone = new ArrayList<>();

    /**
     * Texts that begin with the same tokens.
     *
     * @param prefix how many tokens they share; 0 for texts that share none
     */
    record Group(int prefix, List<Batch> batches) {}

    /**
     * Texts that are computed at once.
     *
     * @param rows their places in the list
     * @param length tokens of the longest, the prefix included
     */
    record Batch(int[] rows, int length) {}

    private TextBatches(List<long[]> texts, int maxTokens) {
        this.texts = texts;
        this.maxTokens = maxTokens;
    }

    /**
     * Every text in one batch of one group.
     *
     * @param texts ids of each up to the last that counts, at least one
     * @param maxTokens padded tokens of a batch, its prefix left out; a longer text is a batch alone
     */
    static List<Group> of(List<long[]> texts, int maxTokens) {
        TextBatches batches = new TextBatches(texts, maxTokens);
        int[] sorted = IntStream.range(0, texts.size())
                .boxed()
                .sorted(Comparator.comparing(texts::get, Arrays::compare))
                .mapToInt(Integer::intValue)
                .toArray();
        if (sorted.length > 0) {
            batches.split(sorted);
        }
        if (!batches.alone.isEmpty()) {
            batches.add(0, batches.alone);
        }
        return batches.groups;
    }

    /** Texts that stand together in order: those that share much more than all become groups of their own, the others stay one group. */
    private void split(int... sorted) {
        int shared = shared(sorted);
        List<Integer> rest = new ArrayList<>();
        int from = 0;
        while (from < sorted.length) {
            int to = from + 1;
            while (to < sorted.length && texts.get(sorted[to])[shared] == texts.get(sorted[from])[shared]) {
                to++;
            }
            int[] run = Arrays.copyOfRange(sorted, from, to);
            if ((long) run.length * (shared(run) - shared) >= WORTH_A_GROUP) {
                split(run);
            } else {
                Arrays.stream(run).forEach(rest::add);
            }
            from = to;
        }
        if ((long) rest.size() * shared > PASS + shared) {
            add(shared, rest);
        } else {
            alone.addAll(rest);
        }
    }

    /** Tokens that all begin with; the last token of each is left to itself. */
    private int shared(int... sorted) {
        long[] first = texts.get(sorted[0]);
        long[] last = texts.get(sorted[sorted.length - 1]);
        int mismatch = Arrays.mismatch(first, last);
        int shortest =
                Arrays.stream(sorted).map(row -> texts.get(row).length).min().getAsInt();
        return Math.min(mismatch < 0 ? first.length : mismatch, shortest - 1);
    }

    /** Batches by length: one ends when it is full, or when padding its texts costs more than another pass. */
    private void add(int prefix, List<Integer> rows) {
        int[] byLength = rows.stream()
                .sorted(Comparator.comparing(row -> texts.get(row).length))
                .mapToInt(Integer::intValue)
                .toArray();
        List<Batch> batches = new ArrayList<>();
        int from = 0;
        int tokens = 0; // without padding
        for (int to = 0; to <= byLength.length; to++) {
            int length = to < byLength.length ? texts.get(byLength[to]).length - prefix : 0;
            long padded = (long) (to - from + 1) * length;
            if (to > from && (to == byLength.length || padded > maxTokens || padded - tokens - length > PASS)) {
                batches.add(new Batch(Arrays.copyOfRange(byLength, from, to), texts.get(byLength[to - 1]).length));
                from = to;
                tokens = 0;
            }
            tokens += length;
        }
        groups.add(new Group(prefix, batches));
    }
}
