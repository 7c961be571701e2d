package dev.diva.report;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A pair that one model answers and the other does not.
 *
 * @param gained true when the last model answers it
 * @param sides the two images with their statements and margins
 */
public record Flip(String id, String pattern, boolean gained, List<Side> sides) {
    /** Pairs shown of each kind: a gallery, not the record. */
    public static final int SHOWN = 12;

    /**
     * One image of a pair.
     *
     * @param image null when the file is not at hand
     * @param before margin of the first model, null when it is not recorded
     * @param after margin of the last model, null when it is not recorded
     */
    public record Side(InlineImage image, String statement, Double before, Double after) {}

    private record Answers(Question before, Question after) {}

    /** The flipped pairs, gained ones first, those whose margins moved most at the head; at most {@link #SHOWN} of each kind. */
    static List<Flip> of(Comparison comparison) {
        return answers(comparison).stream()
                .map(pair -> flip(pair.before, pair.after))
                .toList();
    }

    /** The image files of the same pairs in the same order. */
    static List<Path> images(Comparison comparison) {
        return answers(comparison).stream()
                .flatMap(pair -> pair.after.images().stream())
                .toList();
    }

    /** Both sides of the first of the same pairs, as far as they have images and statements. */
    static List<Statement> statements(Comparison comparison, int pairs) {
        return answers(comparison).stream()
                .limit(pairs)
                .map(Answers::after)
                .flatMap(question -> IntStream.range(
                                0,
                                Math.min(
                                        question.images().size(),
                                        question.statements().size()))
                        .mapToObj(side -> new Statement(
                                question.id(),
                                question.images().get(side),
                                question.statements().get(side))))
                .toList();
    }

    private static List<Answers> answers(Comparison comparison) {
        Map<String, Question> before = new HashMap<>();
        comparison.first().questions().forEach(question -> before.put(question.id(), question));
        List<Answers> flipped = new ArrayList<>();
        for (boolean gained : new boolean[] {true, false}) {
            comparison.last().questions().stream()
                    .filter(after -> before.containsKey(after.id()))
                    .filter(after ->
                            after.correct() == gained && before.get(after.id()).correct() != gained)
                    .sorted(Comparator.comparingDouble((Question after) -> -movement(before.get(after.id()), after)))
                    .limit(SHOWN)
                    .forEach(after -> flipped.add(new Answers(before.get(after.id()), after)));
        }
        return flipped;
    }

    private static double movement(Question before, Question after) {
        double sum = 0;
        for (int i = 0; i < Math.min(before.margins().size(), after.margins().size()); i++) {
            sum += Math.abs(after.margins().get(i) - before.margins().get(i));
        }
        return sum;
    }

    private static Flip flip(Question before, Question after) {
        List<Side> sides = new ArrayList<>();
        for (int i = 0; i < Math.max(after.statements().size(), after.images().size()); i++) {
            InlineImage image = at(after.images(), i).flatMap(InlineImage::read).orElse(null);
            sides.add(new Side(
                    image,
                    at(after.statements(), i).orElse(""),
                    at(before.margins(), i).orElse(null),
                    at(after.margins(), i).orElse(null)));
        }
        return new Flip(after.id(), after.pattern(), after.correct(), sides);
    }

    private static <T> Optional<T> at(List<T> values, int index) {
        return index < values.size() ? Optional.of(values.get(index)) : Optional.empty();
    }
}
