package dev.diva.bench.kernels;

import dev.diva.model.Activation;
import dev.diva.model.GroupNorm;
import org.bytedeco.pytorch.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Group norm and SiLU before a convolution of the UNet's upper level at 512 pixels. */
public class NormBench extends Kernel {
    private static final long[] SIZES = {2, 320, 64, 64};

    @Param("2x320x64x64")
    public String shape;

    private GroupNorm norm;
    private Tensor x;
    private Tensor gradient;

    @Override
    void make() {
        norm = new GroupNorm(weights(), SIZES[1], 32, 1e-5);
        x = leaf(SIZES);
        gradient = random(SIZES);
    }

    @Benchmark
    public void groupNormSilu() {
        forward(this::compute);
    }

    @Benchmark
    public void groupNormSiluAndGradient() {
        forwardAndBackward(this::compute, gradient, x);
    }

    private Tensor compute() {
        return Activation.SILU.apply(norm.forward(x));
    }
}
