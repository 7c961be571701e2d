package dev.diva.testing;

import dev.diva.engine.Engine;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;

/** Resident memory over many steps of the same work. */
public final class Memory {
    private static final int ROUNDS = 5;

    private Memory() {}

    /**
     * Bytes that a round of steps adds, each step in a scope of its own: the median of five rounds, after one that does not count. What
     * leaks adds to every round; what malloc, the compiler and Java's heap take or give back now and then adds to few.
     */
    public static long growth(int steps, Runnable step) {
        long[] growth = new long[ROUNDS];
        round(steps, step);
        for (int i = 0; i < ROUNDS; i++) {
            long before = Engine.residentBytes();
            round(steps, step);
            growth[i] = Engine.residentBytes() - before;
        }
        Arrays.sort(growth);
        return growth[ROUNDS / 2];
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
