package dev.diva.report;

import java.util.List;

/**
 * The pairs of a benchmark: verdict, scores by pattern, and the pairs that flipped.
 *
 * @param test null when nothing pairs the models
 * @param flips at most {@link Flip#SHOWN} gained and as many lost
 */
public record PairSection(String data, Verdict verdict, PairedTest test, ScoreSection scores, List<Flip> flips) {}
