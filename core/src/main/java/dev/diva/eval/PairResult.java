package dev.diva.eval;

import java.util.List;
import java.util.Map;

/**
 * What a set of pairs tells beyond its metrics.
 *
 * @param patterns by visual pattern
 * @param total all pairs
 * @param questions pair by pair
 */
public record PairResult(Map<String, PairScore> patterns, PairScore total, List<Question> questions) {}
