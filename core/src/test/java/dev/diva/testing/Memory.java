package dev.diva.testing;

import dev.diva.engine.Engine;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;

/** Resident memory over many steps of the same work. */
public final class Memory {
    private static final int ROUNDS = 5;

    private Memory() {}

    /**
     * Bytes that a round of steps adds, each step in a scope of its own: the median or the mean of five rounds, whichever is less, after
     * one round that does not count. What leaks adds to every round, and so to both. What malloc takes and gives back by turns moves the
     * median, and what the compiler and Java's heap take once moves the mean.
     */
    public static long growth(int steps, Runnable step) {
        long[] growth = new long[ROUNDS];
        round(steps, step);
        for (int i = 0; i < ROUNDS; i++) {
            long before = Engine.residentBytes();
            round(steps, step);
            growth[i] = Engine.residentBytes() - before;
        }
        long mean = Arrays.stream(growth).sum() / ROUNDS;
        Arrays.sort(growth);
        return Math.min(growth[ROUNDS / 2], mean);
    }

    private static void round(int steps, Runnable step) {
        for (int i = 0; i < steps; i++) {
            try (PointerScope scope = new PointerScope()) {
                step.run();
            }
        }
        System.gc(); // the next round fills the same part of Java's heap
    }
}
