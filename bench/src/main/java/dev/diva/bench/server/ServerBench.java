package dev.diva.bench.server;

import dev.diva.clip.Clip;
import dev.diva.engine.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * A server's load: {@code MODEL fp32|bf16 THREADS CLIENTS ROUNDS}. Clients that ask for one picture after the other, all at once, against one that
 * brings as many together; in turn, ROUNDS times. Prints one line of JSON: medians of pictures a second, their ratio, and of the milliseconds of a picture that
 * comes alone.
 */
public final class ServerBench {
    private static final int REQUESTS = 6; // of each client in a round

    private ServerBench() {}

    public static void main(String[] args) throws InterruptedException, ExecutionException {
        Precision precision = Precision.valueOf(args[1].toUpperCase(Locale.ROOT));
        int clients = Integer.parseInt(args[3]);
        int rounds = Integer.parseInt(args[4]);
        Clip.Options options = new Clip.Options(precision, Integer.parseInt(args[2]), clients, null);
        ExecutorService threads = Executors.newFixedThreadPool(clients);
        try (Clip clip = Clip.load(Path.of(args[0]), options)) {
            List<float[]> pictures = pictures(clip, clients);
            double[] together = new double[rounds];
            double[] apart = new double[rounds];
            double[] alone = new double[rounds];
            for (int i = -1; i < rounds; i++) { // the first one warms up
                double batches = rate(clients, () -> inBatches(clip, pictures));
                double server = rate(clients, () -> apart(clip, pictures, threads));
                double single = 1e3 / rate(1, () -> oneByOne(clip, pictures.get(0)));
                if (i >= 0) {
                    together[i] = batches;
                    apart[i] = server;
                    alone[i] = single;
                }
            }
            System.out.printf(
                    Locale.ROOT,
                    "{\"precision\": \"%s\", \"clients\": %d, \"batchesPerSecond\": %.3f, \"serverPerSecond\": %.3f,"
                            + " \"ratio\": %.3f, \"aloneMillis\": %.1f}%n",
                    args[1],
                    clients,
                    median(together),
                    median(apart),
                    median(apart) / median(together),
                    median(alone));
        } finally {
            threads.shutdownNow();
        }
    }

    /** Work that may be interrupted. */
    private interface Work {
        void run() throws InterruptedException, ExecutionException;
    }

    /** Pictures a second. */
    private static double rate(int pictures, Work work) throws InterruptedException, ExecutionException {
        long start = System.nanoTime();
        work.run();
        return REQUESTS * pictures * 1e9 / (System.nanoTime() - start);
    }

    private static void inBatches(Clip clip, List<float[]> pictures) {
        for (int i = 0; i < REQUESTS; i++) {
            clip.encodeImages(pictures);
        }
    }

    private static void oneByOne(Clip clip, float[] picture) {
        for (int i = 0; i < REQUESTS; i++) {
            clip.encodeImages(List.of(picture));
        }
    }

    private static void apart(Clip clip, List<float[]> pictures, ExecutorService threads)
            throws InterruptedException, ExecutionException {
        List<Callable<Void>> clients = new ArrayList<>();
        for (float[] picture : pictures) {
            clients.add(() -> {
                oneByOne(clip, picture);
                return null;
            });
        }
        for (Future<Void> client : threads.invokeAll(clients)) {
            client.get();
        }
    }

    private static List<float[]> pictures(Clip clip, int count) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(1);
        int side = Math.toIntExact(clip.config().vision().imageSize());
        List<float[]> pictures = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            float[] pixels = new float[3 * side * side];
            for (int k = 0; k < pixels.length; k++) {
                pixels[k] = (float) random.nextGaussian();
            }
            pictures.add(pixels);
        }
        return pictures;
    }

    private static double median(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
