package dev.diva.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Independent computations side by side, each by a single thread, where libtorch would share every operation of one among all threads: none
 * waits for the others at the end of each operation, and a thread's numbers stay in the cache of its own core. libtorch's own name for it.
 */
public final class InterOp {
    private static ThreadPoolExecutor pool; // or null

    private InterOp() {}

    /**
     * Computes without gradients. What is left when all threads have had equally many is shared by them, operation by operation.
     *
     * @param count of computations
     * @param computation makes the tensor of a number below the count; from several threads at once
     * @return in order, owned by the caller's innermost scope
     */
    public static List<Tensor> compute(int count, IntFunction<Tensor> computation) {
        return computeSeveral(count, Engine.threads(), number -> new Tensor[] {computation.apply(number)}).stream()
                .map(each -> each[0])
                .toList();
    }

    /**
     * {@link #compute} of computations that make several tensors each, some of them null.
     *
     * @param threads {@link Engine#threads}, or 1 for one computation after the other, as on a GPU
     */
    static List<Tensor[]> computeSeveral(int count, int threads, IntFunction<Tensor[]> computation) {
        int alone = threads == 1 ? 0 : count - count % threads;
        List<CompletableFuture<Tensor[]>> pending = new ArrayList<>();
        for (int i = 0; i < alone; i++) {
            int number = i;
            pending.add(CompletableFuture.supplyAsync(() -> kept(computation, number), pool(threads)));
        }
        List<Tensor[]> results = new ArrayList<>();
        CompletionException failure = null;
        for (CompletableFuture<Tensor[]> each : pending) {
            try {
                results.add(adopted(each.join()));
            } catch (CompletionException e) {
                failure = e; // the others' tensors still have to be taken over
            }
        }
        if (failure != null) {
            throw failure.getCause() instanceof RuntimeException cause ? cause : failure;
        }
        for (int i = alone; i < count; i++) {
            results.add(adopted(kept(computation, i)));
        }
        return results;
    }

    private static Tensor[] kept(IntFunction<Tensor[]> computation, int number) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            Tensor[] made = computation.apply(number);
            Stream.of(made).filter(Objects::nonNull).forEach(Scopes::keep);
            return made;
        }
    }

    private static Tensor[] adopted(Tensor... kept) {
        Stream.of(kept).filter(Objects::nonNull).forEach(Scopes::adopt);
        return kept;
    }

    private static synchronized ThreadPoolExecutor pool(int threads) {
        if (pool == null || pool.getCorePoolSize() != threads) {
            if (pool != null) {
                pool.shutdown();
            }
            pool = started(threads);
        }
        return pool;
    }

    /** libtorch has a number of threads for each thread of the program; what was said last is that of all to come. */
    private static ThreadPoolExecutor started(int threads) {
        CountDownLatch ready = new CountDownLatch(threads);
        ThreadPoolExecutor started = new ThreadPoolExecutor(
                threads, threads, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> thread(work, ready));
        started.prestartAllCoreThreads();
        try {
            ready.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        torch.set_num_threads(threads);
        return started;
    }

    private static Thread thread(Runnable work, CountDownLatch ready) {
        Thread thread = new Thread(
                () -> {
                    torch.get_num_threads(); // a thread's first call takes what holds for all, and would do so after
                    // the next line
                    torch.set_num_threads(1);
                    ready.countDown();
                    work.run();
                },
                "diva-inter-op");
        thread.setDaemon(true);
        return thread;
    }
}
