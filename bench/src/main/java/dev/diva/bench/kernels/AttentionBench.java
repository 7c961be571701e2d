package dev.diva.bench.kernels;

import dev.diva.engine.Attention;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Self-attention: the two upper levels of the UNet at 512 pixels, and the tower. */
public class AttentionBench extends Kernel {
    /** Images, heads, tokens, width of a head. */
    @Param({"2x5x4096x64", "2x10x1024x64", "2x16x257x64"})
    public String shape;

    private Tensor q;
    private Tensor k;
    private Tensor v;
    private Tensor gradient;
    private double operations;

    @Override
    void make() {
        long[] sizes =
                Arrays.stream(shape.split("x")).mapToLong(Long::parseLong).toArray();
        q = leaf(sizes);
        k = leaf(sizes);
        v = leaf(sizes);
        gradient = random(sizes);
        operations = 4.0 * sizes[0] * sizes[1] * sizes[2] * sizes[2] * sizes[3]; // two products
    }

    @Benchmark
    public void attention(Work work) {
        forward(() -> Attention.attend(q, k, v, false));
        work.add(operations);
    }

    @Benchmark
    public void attentionAndGradient(Work work) {
        forwardAndBackward(() -> Attention.attend(q, k, v, false), gradient, q, k, v);
        work.add(3 * operations);
    }
}
