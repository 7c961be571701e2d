package dev.diva.engine;

/**
 * The rows of a batch that this process computes.
 *
 * @param total rows of the whole batch
 * @param from first row
 * @param count rows, 0 for none
 */
public record Share(long total, long from, long count) {
    public Share {
        if (from < 0 || count < 0 || from + count > total) {
            throw new IllegalArgumentException("rows " + from + " to " + (from + count) + " of " + total);
        }
    }

    /** Every row. */
    public static Share whole(long rows) {
        return new Share(rows, 0, rows);
    }

    /** No row of a batch that another process computes. */
    public static Share none(long rows) {
        return new Share(rows, 0, 0);
    }
}
