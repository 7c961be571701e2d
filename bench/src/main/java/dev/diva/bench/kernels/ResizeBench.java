package dev.diva.bench.kernels;

import dev.diva.data.ColorMode;
import dev.diva.data.Filter;
import dev.diva.data.RasterImage;
import dev.diva.data.Resampler;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGeneratorFactory;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Bicubic resizing of a picture to 512 x 512, in Java on one thread. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@Fork(1)
@Warmup(iterations = 4, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public class ResizeBench {
    private static final int SIDE = 512;

    /** Width and height. */
    @Param("1000x750")
    public String shape;

    private RasterImage image;

    @Setup
    public void make() {
        String[] sizes = shape.split("x");
        int width = Integer.parseInt(sizes[0]);
        int height = Integer.parseInt(sizes[1]);
        byte[] samples = new byte[width * height * 3];
        RandomGeneratorFactory.of("L64X128MixRandom").create(1).nextBytes(samples);
        image = RasterImage.of(ColorMode.RGB, width, height, samples);
    }

    @Benchmark
    public RasterImage bicubicResize() {
        return Resampler.resize(image, SIDE, SIDE, Filter.BICUBIC);
    }
}
