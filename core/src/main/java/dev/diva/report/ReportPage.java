package dev.diva.report;

import java.util.List;

/**
 * All that the page shows, in its order.
 *
 * @param title name of the runs or evaluations
 * @param headline the first verdict in words, or what the page holds when nothing was compared
 * @param tone of the headline
 * @param reading plain sentences about what the figures do and do not show
 */
public record ReportPage(
        String title,
        String headline,
        Verdict.Tone tone,
        List<Tile> tiles,
        List<String> reading,
        List<PairSection> pairs,
        List<ScoreSection> scores,
        List<RunSection> runs) {
    /** The headline up to its first semicolon: what was counted. */
    public String count() {
        int end = headline.indexOf("; ");
        return end < 0 ? headline : headline.substring(0, end);
    }

    /** The rest of the headline: what to make of it; may be empty. */
    public String judgement() {
        int end = headline.indexOf("; ");
        return end < 0 ? "" : headline.substring(end + 2);
    }
}
