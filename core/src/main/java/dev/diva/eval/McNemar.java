package dev.diva.eval;

import org.hipparchus.distribution.discrete.BinomialDistribution;

/**
 * McNemar's exact test of two models on the same questions.
 *
 * @param gained questions that only the second model answers
 * @param lost questions that only the first model answers
 * @param p two-sided: twice the binomial tail of the smaller count, at most 1
 */
public record McNemar(int gained, int lost, double p) {
    /** The test of a split of the changed questions; with none changed p is 1. */
    public static McNemar exact(int gained, int lost) {
        int changed = gained + lost;
        BinomialDistribution fair = new BinomialDistribution(changed, 0.5);
        double tail = 0; // summed from its small end: a cumulative probability is 0 below 1e-16
        for (int k = 0; k <= Math.min(gained, lost); k++) {
            tail += fair.probability(k);
        }
        return new McNemar(gained, lost, Math.min(1, 2 * tail));
    }

    /** The test of two answer sheets of the same questions. */
    public static McNemar of(boolean[] first, boolean[] second) {
        if (first.length != second.length) {
            throw new IllegalArgumentException(
                    first.length + " and " + second.length + " answers, expected the same questions");
        }
        int gained = 0;
        int lost = 0;
        for (int i = 0; i < first.length; i++) {
            gained += second[i] && !first[i] ? 1 : 0;
            lost += first[i] && !second[i] ? 1 : 0;
        }
        return exact(gained, lost);
    }
}
