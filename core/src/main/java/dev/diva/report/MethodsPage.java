package dev.diva.report;

import java.util.List;

/**
 * Methods against the untouched model, on a page of its own.
 *
 * @param title what was compared with
 * @param headline the main finding
 * @param judgement the rest of it, may be empty
 * @param reading plain sentences about what the figures do and do not show
 * @param pictures gain against price
 * @param scores all values with their intervals
 * @param tables values, tests and prices
 */
public record MethodsPage(
        String title,
        String headline,
        String judgement,
        Verdict.Tone tone,
        List<String> reading,
        List<Scatter> pictures,
        ScoreSection scores,
        List<Table> tables) {}
