package dev.diva.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/** Work in pieces that do not depend on each other, on as many threads as an operation of libtorch takes. */
final class Pieces {
    private static final ExecutorService HELPERS = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "diva-product");
        thread.setDaemon(true);
        return thread;
    });

    private Pieces() {}

    /** Does the pieces 0 to {@code count}; each thread takes the next one that is left. */
    static void run(int count, IntConsumer piece) {
        AtomicInteger next = new AtomicInteger();
        Runnable share = () -> {
            for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                piece.accept(i);
            }
        };
        List<Future<?>> helpers = new ArrayList<>();
        for (int i = 1; i < Math.min(count, Engine.threads()); i++) {
            helpers.add(HELPERS.submit(share));
        }
        share.run();
        helpers.forEach(Pieces::await);
    }

    private static void await(Future<?> helper) {
        boolean interrupted = false;
        while (true) {
            try {
                helper.get();
                break;
            } catch (InterruptedException e) {
                interrupted = true; // the helper still writes to memory that the caller would free
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
