package dev.diva.bench.kernels;

import dev.diva.model.Linear;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Frozen layers of ViT-L/14 at 336 pixels, and for SAN's pictures. */
public class LinearBench extends Kernel {
    /** Images, tokens, inputs, outputs. */
    @Param({"1x577x1024x1024", "4x577x1024x4096", "1x1025x1024x1024", "1x1025x1024x4096", "1x1025x4096x1024"})
    public String shape;

    private Tensor x;
    private Linear linear;
    private Tensor gradient;
    private double operations;

    @Override
    void make() {
        long[] sizes =
                Arrays.stream(shape.split("x")).mapToLong(Long::parseLong).toArray();
        x = leaf(sizes[0], sizes[1], sizes[2]);
        linear = Linear.of(random(sizes[3], sizes[2]), random(sizes[3]));
        gradient = random(sizes[0], sizes[1], sizes[3]);
        operations = 2.0 * sizes[0] * sizes[1] * sizes[2] * sizes[3];
    }

    @Benchmark
    public void linear(Work work) {
        forward(() -> linear.forward(x));
        work.add(operations);
    }

    @Benchmark
    public void linearAndInputGradient(Work work) {
        forwardAndBackward(() -> linear.forward(x), gradient, x);
        work.add(2 * operations);
    }
}
