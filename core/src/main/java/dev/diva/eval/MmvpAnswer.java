package dev.diva.eval;

import java.util.List;

/**
 * How a model answered one pair.
 *
 * @param probability of the first image, for each statement
 */
public record MmvpAnswer(MmvpPair pair, List<Double> probability) {
    /** The image that a statement picks, 1 or 2; a tie goes to 2. */
    public int picked(int statement) {
        return probability.get(statement) > 0.5 ? 1 : 2;
    }

    /** Whether both statements pick their own image. */
    public boolean correct() {
        return picked(0) == pair.truth(0) + 1 && picked(1) == pair.truth(1) + 1;
    }

    /** How far a statement preferred its own image: probability above one half, -0.5..0.5. */
    public double margin(int statement) {
        double first = probability.get(statement) - 0.5;
        return pair.truth(statement) == 0 ? first : -first;
    }
}
