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
        List<RunSection> runs) {}
