package dev.diva.engine;

/**
 * The rows of a batch that this process computes.
 *
 * @param total rows of the whole batch
 * @param from first row
 * @param count rows, 0 for none
 */
public record BatchShard(long total, long from, long count) {
    public BatchShard {
        if (from < 0 || count < 0 || from + count > total) {
            throw new IllegalArgumentException("rows " + from + " to " + (from + count) + " of " + total);
        }
    }

    /** Every row. */
    public static BatchShard whole(long rows) {
        return new BatchShard(rows, 0, rows);
    }

    /** No row of a batch that another process computes. */
    public static BatchShard none(long rows) {
        return new BatchShard(rows, 0, 0);
    }
}
