package dev.diva.bench.encode;

import dev.diva.bench.Peak;
import dev.diva.clip.Clip;
import dev.diva.engine.Int8Linear;
import dev.diva.engine.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;

/**
 * Encodes random pixels: {@code MODEL fp32|bf16|int8 THREADS BATCH REPEATS [DEVICE]}. Prints one line of JSON. {@code BENCH_START} in the environment
 * is the time at which the process was started, in seconds.
 */
public final class EncodeBench {
    private EncodeBench() {}

    public static void main(String[] args) throws IOException {
        Precision precision = Precision.valueOf(args[1].toUpperCase(Locale.ROOT));
        if (precision == Precision.INT8) {
            Int8Linear.require();
        }
        int batch = Integer.parseInt(args[3]);
        int repeats = Integer.parseInt(args[4]);
        Clip.Options options = new Clip.Options(precision, Integer.parseInt(args[2]), batch, null)
                .withDevice(args.length > 5 ? args[5] : "cpu");
        try (Clip clip = Clip.load(Path.of(args[0]), options)) {
            int values = Math.toIntExact(3L
                    * clip.config().vision().imageSize()
                    * clip.config().vision().imageSize());
            RandomGenerator random =
                    RandomGeneratorFactory.of("L64X128MixRandom").create(1);
            List<float[]> images = IntStream.range(0, batch)
                    .mapToObj(i -> pixels(random, values))
                    .toList();
            clip.encodeImages(images.subList(0, 1));
            double first = System.currentTimeMillis() / 1e3 - Double.parseDouble(System.getenv("BENCH_START"));
            clip.encodeImages(images);
            double[] seconds = new double[repeats];
            for (int i = 0; i < repeats; i++) {
                long start = System.nanoTime();
                clip.encodeImages(images);
                seconds[i] = (System.nanoTime() - start) / 1e9;
            }
            Arrays.sort(seconds);
            System.out.printf(
                    Locale.ROOT,
                    "{\"who\": \"diva\", \"precision\": \"%s\", \"firstSeconds\": %.2f, \"imagesPerSecond\": %.3f,"
                            + " \"slowest\": %.3f, \"fastest\": %.3f, \"peakMiB\": %d}%n",
                    args[1],
                    first,
                    batch / seconds[repeats / 2],
                    batch / seconds[repeats - 1],
                    batch / seconds[0],
                    Peak.mebibytes());
        }
    }

    private static float[] pixels(RandomGenerator random, int values) {
        float[] pixels = new float[values];
        for (int i = 0; i < values; i++) {
            pixels[i] = (float) random.nextGaussian();
        }
        return pixels;
    }
}
