package dev.diva.report;

/** A 95 % interval of a score, both ends as fractions 0..1. */
public record Interval(double low, double high) {
    private static final double Z = 1.959963984540054;

    /** Wilson's score interval of {@code correct} out of {@code total}, which must be above 0. */
    public static Interval wilson(int correct, int total) {
        double share = (double) correct / total;
        double scale = 1 + Z * Z / total;
        double centre = (share + Z * Z / (2.0 * total)) / scale;
        double half = Z / scale * Math.sqrt(share * (1 - share) / total + Z * Z / (4.0 * total * total));
        return new Interval(Math.max(0, centre - half), Math.min(1, centre + half));
    }

    /** Whether the two intervals share a point. */
    public boolean overlaps(Interval other) {
        return low <= other.high && other.low <= high;
    }
}
