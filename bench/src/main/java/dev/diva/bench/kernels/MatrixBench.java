package dev.diva.bench.kernels;

import org.bytedeco.pytorch.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A square matrix product: what the machine can reach. */
public class MatrixBench extends Kernel {
    @Param("2048")
    public String shape;

    private Tensor a;
    private Tensor b;
    private double operations;

    @Override
    void make() {
        long side = Long.parseLong(shape);
        a = random(side, side);
        b = random(side, side);
        operations = 2.0 * side * side * side;
    }

    @Benchmark
    public void matrixProduct(Work work) {
        forward(() -> a.mm(b));
        work.add(operations);
    }
}
