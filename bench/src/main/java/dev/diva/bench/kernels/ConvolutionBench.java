package dev.diva.bench.kernels;

import dev.diva.model.Conv2d;
import org.bytedeco.pytorch.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A frozen 3 x 3 convolution of the UNet's upper level at 512 pixels. */
public class ConvolutionBench extends Kernel {
    private static final long CHANNELS = 320;
    private static final long SIDE = 64;
    private static final long IMAGES = 2;
    private static final double OPERATIONS = 2.0 * IMAGES * CHANNELS * CHANNELS * 9 * SIDE * SIDE;

    @Param("2x320x64x64")
    public String shape;

    private Conv2d convolution;
    private Tensor x;
    private Tensor gradient;

    @Override
    void make() {
        convolution = Conv2d.of(weights(), CHANNELS, CHANNELS, Conv2d.Geometry.SAME_3);
        x = leaf(IMAGES, CHANNELS, SIDE, SIDE);
        gradient = random(IMAGES, CHANNELS, SIDE, SIDE);
    }

    @Benchmark
    public void convolution(Work work) {
        forward(() -> convolution.forward(x));
        work.add(OPERATIONS);
    }

    @Benchmark
    public void convolutionAndInputGradient(Work work) {
        forwardAndBackward(() -> convolution.forward(x), gradient, x);
        work.add(2 * OPERATIONS);
    }
}
