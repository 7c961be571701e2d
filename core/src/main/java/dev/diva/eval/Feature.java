package dev.diva.eval;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What of an image is compared with texts, or probed. */
public enum Feature {
    /** The tower's own image embedding, which users deploy. */
    ZERO_SHOT,
    /** The published feature: projected class token plus the mean of all projected local tokens; deterministic. */
    CLASS_PLUS_MEAN_LOCAL,
    /** The mean of all projected local tokens. */
    MEAN_LOCAL,
    /** What the authors score for this backbone. */
    BACKBONE;

    /** The feature of a name as users write it, such as {@code class-plus-mean-local}. */
    public static Optional<Feature> named(String name) {
        return Arrays.stream(values())
                .filter(feature -> feature.name()
                        .toLowerCase(Locale.ROOT)
                        .replace('_', '-')
                        .equals(name))
                .findFirst();
    }
}
