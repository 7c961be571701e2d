package dev.diva.report;

import dev.diva.eval.McNemar;

/**
 * A paired comparison of two models on the same questions.
 *
 * @param gained questions that only the second model answers
 * @param lost questions that only the first model answers
 * @param p two-sided p-value, 0..1
 */
public record PairedTest(String data, String first, String second, int gained, int lost, double p) {
    /** McNemar's exact test. */
    static PairedTest exact(String data, String first, String second, int gained, int lost) {
        return new PairedTest(
                data, first, second, gained, lost, McNemar.exact(gained, lost).p());
    }

    /** The same under another name of the data. */
    PairedTest named(String name) {
        return new PairedTest(name, first, second, gained, lost, p);
    }
}
