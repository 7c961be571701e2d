package dev.diva.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** A run of samples that one task makes, {@code from} up to but without {@code to}. */
record Part(int index, long from, long to) implements Serializable {
    /**
     * Cuts samples into parts of about equal size.
     *
     * @param unit every part but the last is a multiple of it, so that parts hold the shards or batches of a single process
     * @param parts how many; fewer when there are fewer units
     */
    static List<Part> cut(long samples, long unit, int parts) {
        long units = (samples + unit - 1) / unit;
        int count = (int) Math.min(parts, units);
        List<Part> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(new Part(i, units * i / count * unit, Math.min(samples, units * (i + 1) / count * unit)));
        }
        return all;
    }
}
