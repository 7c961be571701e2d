package dev.diva.eval;

import java.util.List;

/**
 * How a model answered one pair.
 *
 * @param probability of the first image, for each statement
 * @param lead cosine with the first image less that with the second, for each statement; empty where only the probabilities are known
 */
public record MmvpAnswer(MmvpPair pair, List<Double> probability, List<Double> lead) {
    /** Of which only the probabilities are known. */
    public MmvpAnswer(MmvpPair pair, List<Double> probability) {
        this(pair, probability, List.of());
    }

    /** Whether {@link #sig} and {@link #bias} are known. */
    public boolean hasLead() {
        return !lead.isEmpty();
    }

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

    /**
     * What the two statements say of the images against each other: half of (f1 - f2) (t1 - t2), of unit embeddings f of the images and t of the
     * statements that are true of them. Above 0 the images are in order.
     */
    public double sig() {
        return (own(0) + own(1)) / 2;
    }

    /** What both statements prefer alike: half of |(f1 - f2) (t1 + t2)|. A pair is right exactly when sig is larger. */
    public double bias() {
        return Math.abs(own(0) - own(1)) / 2;
    }

    /** How far a statement's cosine with its own image leads. */
    private double own(int statement) {
        return pair.truth(statement) == 0 ? lead.get(statement) : -lead.get(statement);
    }
}
