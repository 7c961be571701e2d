package dev.diva.eval;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/** What a set lacks, in words that go with its scores. */
final class Losses {
    private static final int NAMES = 5;

    private Losses() {}

    /** What a set lost while it was read, and before it the classes that no image has. */
    static List<String> of(ClassificationSet set, BitSet seen) {
        List<String> names = set.classNames();
        List<String> unseen = IntStream.range(0, names.size())
                .filter(label -> !seen.get(label))
                .mapToObj(names::get)
                .toList();
        List<String> losses = new ArrayList<>();
        if (!unseen.isEmpty()) {
            String some = String.join(", ", unseen.subList(0, Math.min(NAMES, unseen.size())));
            losses.add(set.name() + ": " + unseen.size() + " of " + names.size() + " classes have no image (" + some
                    + (unseen.size() > NAMES ? ", ..." : "") + "); the scores are of the other "
                    + (names.size() - unseen.size()));
        }
        losses.addAll(set.warnings());
        return losses;
    }

    /** The error for a set without samples; it gives the first reason that is known. */
    static BadInputException nothingLeft(String name, List<String> warnings) {
        String reason = warnings.isEmpty() ? "" : "; " + warnings.get(0);
        String others = warnings.size() > 1 ? " (and " + (warnings.size() - 1) + " more)" : "";
        return new BadInputException(name + ": no samples" + reason + others);
    }
}
