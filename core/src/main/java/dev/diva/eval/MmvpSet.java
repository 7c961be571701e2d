package dev.diva.eval;

import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A benchmark in the format of MMVP-VLM.
 *
 * @param pairs pairs with both images at hand
 * @param pairsListed pairs in the table, those left out included
 * @param warnings what a reader of the score must know: images left out, departures from the known 135 pairs
 */
public record MmvpSet(Path folder, List<MmvpPair> pairs, int pairsListed, List<String> warnings) {
    /** The patterns of MMVP-VLM in their order, fifteen pairs each. */
    public static final List<String> PATTERNS = List.of(
            "Orientation and Direction",
            "Presence of Specific Features",
            "State and Condition",
            "Quantity and Count",
            "Positional and Relational Context",
            "Color and Appearance",
            "Structural Characteristics",
            "Texts",
            "Viewpoint and Perspective");

    static final int PAIRS_PER_PATTERN = 15;

    /** Patterns in the order in which they appear. */
    public Set<String> patterns() {
        Set<String> patterns = new LinkedHashSet<>();
        pairs.forEach(pair -> patterns.add(pair.pattern()));
        return patterns;
    }
}
