package dev.diva.report;

import java.util.List;

/**
 * A plot of scores with its table.
 *
 * @param id anchor on the page
 * @param columns what each model is called
 * @param note one sentence below the heading, may be empty
 * @param tests paired tests that are not told elsewhere
 * @param galleries pictures of what changed
 */
public record ScoreSection(
        String id,
        String title,
        String note,
        List<String> columns,
        List<ScoreRow> rows,
        List<PairedTest> tests,
        List<PairGallery> galleries) {}
