package dev.diva.report;

/**
 * A paired comparison of two models on the same questions.
 *
 * @param gained questions that only the second model answers
 * @param lost questions that only the first model answers
 * @param p two-sided p-value, 0..1
 */
public record PairedTest(String data, String first, String second, int gained, int lost, double p) {
    /** McNemar's exact test: the binomial probability of a split of the changed pairs at least this uneven. */
    static PairedTest exact(String data, String first, String second, int gained, int lost) {
        int changed = gained + lost;
        double logTerm = -changed * Math.log(2);
        double tail = 0;
        for (int k = 0; k <= Math.min(gained, lost); k++) {
            tail += Math.exp(logTerm);
            logTerm += Math.log((double) (changed - k) / (k + 1));
        }
        return new PairedTest(data, first, second, gained, lost, Math.min(1, 2 * tail));
    }

    /** The same under another name of the data. */
    PairedTest named(String name) {
        return new PairedTest(name, first, second, gained, lost, p);
    }
}
