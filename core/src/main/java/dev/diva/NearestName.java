package dev.diva;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds the valid name that a user probably meant. */
public final class NearestName {
    private NearestName() {}

    /** The candidate with the smallest edit distance; ties go to the first; empty string when there is none. */
    public static String of(String name, Collection<String> candidates) {
        return candidates.stream()
                .min(Comparator.comparingInt(candidate -> distance(name, candidate)))
                .orElse("");
    }

    /** The same, where no more than about a third of the name is otherwise. */
    public static Optional<String> close(String name, Collection<String> candidates) {
        return Optional.of(of(name, candidates))
                .filter(found -> !found.isEmpty() && distance(name, found) <= (name.length() + 2) / 3);
    }

    /** Levenshtein distance. */
    static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
