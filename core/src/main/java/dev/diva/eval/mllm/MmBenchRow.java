package dev.diva.eval.mllm;

import java.util.Map;

/**
 * One rotation of a question of MMBench.
 *
 * @param options by letter, only those that are there
 * @param answer the right letter
 * @param category the finer of the two abilities, may be empty
 * @param ability the coarser ({@code l2-category}), may be empty
 */
record MmBenchRow(
        long index,
        String question,
        Map<String, String> options,
        String answer,
        String category,
        String ability,
        String split) {
    private static final long ROTATION = 1_000_000;

    /** Index of the question that this is a rotation of. */
    long group() {
        return index % ROTATION;
    }

    /** Whether the options stand as they did at first. */
    boolean isFirst() {
        return index < ROTATION;
    }
}
