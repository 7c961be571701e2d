package dev.diva.data;

import dev.diva.BadInputException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.LongUnaryOperator;

/**
 * Reads, decodes and prepares images ahead of the training step. Results come in the order of the positions whatever the threads
 * do; an image that cannot be read is reported, counted and replaced by the next readable one of the order, so that what comes at a
 * position depends on nothing but the position. One consumer thread.
 *
 * @param <T> what is prepared from an image
 */
public final class ImageLoader<T> implements AutoCloseable {
    private final ImageSet images;
    private final SampleOrder order;
    private final Settings settings;
    private final Preparation<T> preparation;
    private final Consumer<DataProblem> problems;
    private final ExecutorService workers;
    private final Queue<Pending<T>> ahead = new ArrayDeque<>();
    private long nextSubmitted;
    private long nextDelivered;
    private long skipped;

    /** Makes a training sample of a decoded image, on a worker thread. */
    @FunctionalInterface
    public interface Preparation<T> {
        T prepare(RasterImage image, Draw draw);
    }

    /** What random choices of a sample may depend on. */
    public record Draw(long seed, long epoch, int index) {}

    /** A prepared image and the number of the sample to resume with after it. */
    public record Sample<T>(String name, Draw draw, T value, long nextPosition) {}

    /**
     * How to load.
     *
     * @param start number of the first sample; a resumed run passes {@link Sample#nextPosition()}
     * @param positions place in the order of a sample of that number; every one for one process, a part for one of many
     * @param workers threads, at least 1
     * @param ahead samples prepared before they are asked for, at least 1
     */
    public record Settings(long start, LongUnaryOperator positions, int workers, int ahead, ImageDecoder decoder) {
        public Settings {
            if (start < 0 || workers < 1 || ahead < 1) {
                throw new IllegalArgumentException("start " + start + ", workers " + workers + ", ahead " + ahead);
            }
        }

        /** One process, from the start, decoding as the reference does. */
        public static Settings of(int workers, int ahead) {
            return new Settings(0, LongUnaryOperator.identity(), workers, ahead, ImageDecoder.reference());
        }

        /** The same from another position. */
        public Settings from(long position) {
            return new Settings(position, positions, workers, ahead, decoder);
        }
    }

    private record Pending<T>(long number, Draw draw, String name, Future<T> value) {}

    /** @param problems told of every image that is skipped, in order, on the consumer's thread */
    public ImageLoader(
            ImageSet images,
            SampleOrder order,
            Settings settings,
            Preparation<T> preparation,
            Consumer<DataProblem> problems) {
        if (order.count() != images.size()) {
            throw new IllegalArgumentException("an order of " + order.count() + " for " + images.size() + " images");
        }
        this.images = images;
        this.order = order;
        this.settings = settings;
        this.preparation = preparation;
        this.problems = problems;
        this.nextSubmitted = settings.start();
        this.nextDelivered = settings.start();
        this.workers = Executors.newFixedThreadPool(settings.workers(), task -> {
            Thread thread = new Thread(task, "image-loader");
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * The next sample; waits only if it is not ready.
     *
     * @throws BadInputException when a whole round of the images had none that could be read
     */
    public Sample<T> next() {
        Pending<T> pending = take(Long.MAX_VALUE);
        Optional<Sample<T>> sample = deliver(pending);
        for (int i = 1; sample.isEmpty(); i++) {
            if (i == order.count()) {
                throw new BadInputException(
                        "none of " + order.count() + " images could be read; the last was " + pending.name());
            }
            pending = submit(pending.number(), settings.positions().applyAsLong(pending.number()) + i);
            sample = deliver(pending);
        }
        return sample.get();
    }

    /** The next sample that can be read before the number {@code end}; nothing at or behind it is begun, nothing replaced. */
    public Optional<Sample<T>> nextBefore(long end) {
        Optional<Sample<T>> sample = Optional.empty();
        while (sample.isEmpty() && nextDelivered < end) {
            sample = deliver(take(end));
        }
        return sample;
    }

    private Pending<T> take(long end) {
        fill(end);
        Pending<T> pending = ahead.remove();
        fill(end);
        nextDelivered = pending.number() + 1;
        return pending;
    }

    /** Waits for a sample; empty, and reported, when it cannot be read. */
    private Optional<Sample<T>> deliver(Pending<T> pending) {
        try {
            T value = pending.value().get();
            return Optional.of(new Sample<>(pending.name(), pending.draw(), value, nextDelivered));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UncheckedIOException failure) {
                throw failure; // of the network: another image would do as little, and would be another result
            }
            if (!(e.getCause() instanceof BadInputException reason)) {
                throw new IllegalStateException(
                        "preparing " + pending.name() + " failed: " + e.getCause(), e.getCause());
            }
            skipped++;
            problems.accept(new DataProblem(pending.name(), reason.getMessage()));
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for " + pending.name(), e);
        }
    }

    /** Number of the sample that {@link #next()} looks at next. */
    public long position() {
        return nextDelivered;
    }

    /** Images that were skipped so far. */
    public long skipped() {
        return skipped;
    }

    private void fill(long end) {
        while (ahead.size() < settings.ahead() && nextSubmitted < end) {
            ahead.add(submit(nextSubmitted, settings.positions().applyAsLong(nextSubmitted)));
            nextSubmitted++;
        }
    }

    private Pending<T> submit(long number, long position) {
        int index = order.index(position);
        Draw draw = new Draw(order.seed(), order.epoch(position), index);
        Future<T> value = workers.submit(() -> preparation.prepare(images.decode(index, settings.decoder()), draw));
        return new Pending<>(number, draw, images.name(index), value);
    }

    @Override
    public void close() {
        workers.shutdownNow();
    }
}
