package dev.diva.eval;

/** Pairs right of pairs asked. */
public record PairScore(int pairsCorrect, int pairs) {
    /** Share of pairs right. */
    public double fraction() {
        return (double) pairsCorrect / pairs;
    }

    /** Wilson's interval of the share. */
    public Interval interval() {
        return Interval.wilson(pairsCorrect, pairs);
    }
}
