package dev.diva.checkpoint.format;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One line of a name table. In patterns {@code #} stands for a layer number and {@code *} for {@code weight} or {@code bias}. One stored name
 * with several of ours is split by rows; several stored names with one of ours are joined.
 *
 * @param stored patterns of names in the foreign file
 * @param ours patterns of our names
 * @param change what is done to the tensor besides splitting or joining
 * @param parts relative numbers of rows of the pieces
 */
record NameRule(List<String> stored, List<String> ours, Change change, List<Integer> parts) {
    /** How one tensor is turned into the other. */
    enum Change {
        NONE,
        /** Stored transposed. */
        TRANSPOSED,
        /** Stored as [1, n, d], ours is [n, d]. */
        BATCHED,
        /** Stored as [1, 1, d], ours is [d]. */
        VECTOR,
        /** Stored as a scalar, ours is [1]. */
        SCALAR,
        /** Stored as the kernels of a 1 x 1 convolution [out, in, 1, 1], ours is [out, in]. */
        POINTWISE
    }

    private static final Map<String, Pattern> COMPILED = new ConcurrentHashMap<>();

    NameRule {
        if (stored.size() > 1 && ours.size() > 1) {
            throw new IllegalArgumentException("a rule splits or joins, not both: " + stored);
        }
    }

    /** What # and * stood for in a name. */
    record Match(String layer, String kind) {
        String fill(String pattern) {
            return pattern.replace("#", layer).replace("*", kind);
        }

        List<String> fill(List<String> patterns) {
            List<String> names = new ArrayList<>();
            patterns.forEach(pattern -> names.add(fill(pattern)));
            return names;
        }
    }

    Optional<Match> matchStored(String name) {
        return match(stored.get(0), name);
    }

    Optional<Match> matchOurs(String name) {
        return match(ours.get(0), name);
    }

    private static Optional<Match> match(String pattern, String name) {
        Matcher matcher = COMPILED.computeIfAbsent(pattern, NameRule::compile).matcher(name);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        return Optional.of(new Match(
                pattern.contains("#") ? matcher.group("layer") : "",
                pattern.contains("*") ? matcher.group("kind") : ""));
    }

    private static Pattern compile(String pattern) {
        String regex = Pattern.quote(pattern)
                .replace("#", "\\E(?<layer>\\d{1,4})\\Q")
                .replace("*", "\\E(?<kind>weight|bias)\\Q");
        return Pattern.compile(regex);
    }
}
