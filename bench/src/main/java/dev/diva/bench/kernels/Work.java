package dev.diva.bench.kernels;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Floating point operations of matrix products and convolutions, which JMH divides by the time that they took. */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class Work {
    /** 10^9 operations, a multiplication and an addition counted as two; products that are computed again do not count. */
    public double gigaFlop;

    void add(double operations) {
        gigaFlop += operations * 1e-9;
    }
}
