package dev.diva.mine;

import java.util.Comparator;

/**
 * Two images, by row.
 *
 * @param clipCosine how alike CLIP finds them
 * @param otherCosine how alike the second encoder finds them
 */
public record BlindPair(int first, int second, float clipCosine, float otherCosine) {
    /** Widest gap between the encoders first; equal ones by row. */
    static final Comparator<BlindPair> WIDEST_FIRST = Comparator.comparingDouble((BlindPair pair) -> -pair.gap())
            .thenComparingInt(BlindPair::first)
            .thenComparingInt(BlindPair::second);

    /** What CLIP does not see: clipCosine - otherCosine. */
    public double gap() {
        return (double) clipCosine - otherCosine;
    }
}
