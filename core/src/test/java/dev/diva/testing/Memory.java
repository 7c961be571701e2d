package dev.diva.testing;

import dev.diva.engine.Engine;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;

/** Resident memory over many steps of the same work. */
public final class Memory {
    private static final int ROUNDS = 5;

    private Memory() {}

    /**
     * Bytes that a round of steps adds, each step in a scope of its own: the least of five rounds, after one that does not count. What
     * leaks adds to every round. The compiler, Java's heap and malloc's pieces take memory in some rounds only; what malloc holds free is
     * given back before it is measured, so that what leaks is not hidden by what a round before left.
     */
    public static long growth(int steps, Runnable step) {
        long before = residentAfter(steps, step);
        long least = Long.MAX_VALUE;
        for (int i = 0; i < ROUNDS; i++) {
            long after = residentAfter(steps, step);
            least = Math.min(least, after - before);
            before = after;
        }
        return least;
    }

    private static long residentAfter(int steps, Runnable step) {
        for (int i = 0; i < steps; i++) {
            try (PointerScope scope = new PointerScope()) {
                step.run();
            }
        }
        System.gc(); // the next round fills the same part of Java's heap
        Pointer.trimMemory();
        return Engine.residentBytes();
    }
}
