package dev.diva.report;

import java.util.Locale;

/** What a comparison shows, in words. A figure is called a gain or a loss only where chance is an unlikely cause (p below 0.05). */
public record Verdict(String words, Tone tone) {
    /** The probability below which a change is called unlikely to be chance. */
    public static final double LEVEL = 0.05;

    /** How a verdict is marked on the page. */
    public enum Tone {
        GAIN,
        LOSS,
        UNCLEAR
    }

    /** The verdict over pairs, with the paired test of the same two models, which may be null. */
    static Verdict ofPairs(Score before, Score after, PairedTest test) {
        int change = after.correct() - before.correct();
        String count = change == 0
                ? "As many pairs as before, " + after.correct() + " of " + after.total()
                : Math.abs(change) + (change > 0 ? " more " : " fewer ") + (Math.abs(change) == 1 ? "pair" : "pairs")
                        + " of " + after.total();
        if (test == null) {
            Verdict shown = ofIntervals(before, after);
            return new Verdict(count + "; " + shown.words, shown.tone);
        }
        boolean clear = test.p() < LEVEL && change != 0;
        String reading = clear ? "unlikely to be chance" : "not distinguishable from chance";
        return new Verdict(count + "; " + pValue(test.p()) + ": " + reading, clear ? toneOf(change) : Tone.UNCLEAR);
    }

    /** The verdict where only intervals are known. Overlap does not prove that nothing changed, so it says no more than it sees. */
    static Verdict ofIntervals(Score before, Score after) {
        if (before.interval() == null || after.interval() == null) {
            return new Verdict("no interval given", Tone.UNCLEAR);
        }
        return before.interval().overlaps(after.interval())
                ? new Verdict("the intervals overlap", Tone.UNCLEAR)
                : new Verdict("the intervals do not overlap", toneOf(after.value() - before.value()));
    }

    /** A p-value as text; more digits near the level, so that rounding never moves it across. */
    public static String pValue(double p) {
        if (p < 0.001) {
            return "p < 0.001";
        }
        boolean fine = p < 0.01 || Math.abs(p - LEVEL) < 0.01;
        String text = String.format(Locale.ROOT, fine ? "%.3f" : "%.2f", p);
        return text.equals("0.050") && p < LEVEL ? "p = 0.0499" : "p = " + text;
    }

    private static Tone toneOf(double change) {
        return change > 0 ? Tone.GAIN : Tone.LOSS;
    }
}
