package dev.diva.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Plain sentences about what the figures of a page do and do not show. */
final class Reading {
    private Reading() {}

    static List<String> of(List<Comparison> comparisons, List<ScoreSection> scores) {
        List<String> sentences = new ArrayList<>();
        comparisons.stream()
                .filter(comparison -> comparison.last().pairs() != null)
                .findFirst()
                .ifPresent(comparison -> pairs(comparison, sentences));
        List<ScoreRow> changed = scores.stream()
                .flatMap(section -> section.rows().stream())
                .filter(row -> !Double.isNaN(row.change()))
                .sorted(Comparator.comparingDouble(ScoreRow::change))
                .toList();
        if (!changed.isEmpty()) {
            ScoreRow worst = changed.get(0);
            ScoreRow best = changed.get(changed.size() - 1);
            String where = sentences.isEmpty() ? "The" : "Elsewhere the";
            if (worst.change() < 0) {
                sentences.add(where + " largest fall is " + describe(worst) + ".");
            }
            if (best.change() > 0) {
                sentences.add(where + " largest rise is " + describe(best) + ".");
            }
        }
        comparisons.stream()
                .flatMap(comparison -> comparison.models().stream())
                .flatMap(result -> result.warnings().stream())
                .distinct()
                .forEach(warning -> sentences.add("Warning of the evaluation: " + warning));
        return sentences;
    }

    private static String describe(ScoreRow row) {
        return row.label() + ", " + Numbers.points(row.change()) + " points (" + row.reading() + ")";
    }

    private static void pairs(Comparison comparison, List<String> sentences) {
        Score score = comparison.last().pairs();
        double error = Math.sqrt(score.value() * (1 - score.value()) / score.total());
        sentences.add(String.format(
                Locale.ROOT,
                "One standard error of a score of %s %% over %d pairs is %.1f points.",
                Numbers.percent(score.value()),
                score.total(),
                100 * error));
        if (comparison.test() != null) {
            sentences.add("Both models answered the same pairs, so the paired test is the one to read for the change: "
                    + comparison.test().gained() + " pairs gained, "
                    + comparison.test().lost()
                    + " lost. The intervals are of each score alone.");
        }
        if (comparison.paired()) {
            sentences.add("One run with one seed does not tell what another seed would give,"
                    + " and a gain that training with wrong images also gives is not diffusion feedback.");
        }
    }
}
