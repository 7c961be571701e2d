package dev.diva.demo;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Jobs on two threads, each as it would run alone: a model so small gains nothing from a second thread, and a second job does. Either takes the next
 * when it is free; the caller's thread tells how its own goes, the other is silent.
 */
final class TwoAtOnce {
    private final Queue<Job> left;
    private final Runnable stop;

    /** A part of the work; false when it was stopped before its end. */
    interface Job {
        boolean run(Watcher watcher);
    }

    private TwoAtOnce(List<Job> jobs, Runnable stop) {
        this.left = new ConcurrentLinkedQueue<>(jobs);
        this.stop = stop;
    }

    /**
     * Runs all.
     *
     * @param stop asks the job beside to end, when one fails
     * @return false when one was stopped; those behind it are not begun
     */
    static boolean run(List<Job> jobs, Watcher watcher, Runnable stop) {
        TwoAtOnce work = new TwoAtOnce(jobs, stop);
        CompletableFuture<Boolean> beside = CompletableFuture.supplyAsync(
                () -> work.drain(Watcher.SILENT), task -> new Thread(task, "beside").start());
        boolean done;
        try {
            done = work.drain(watcher);
        } catch (RuntimeException | Error e) {
            beside.handle((result, failure) -> null).join(); // what it holds is to be free when this is told
            throw e;
        }
        if (!beside.isDone()) {
            watcher.stage("Waiting for the training beside");
        }
        return joined(beside) && done;
    }

    private boolean drain(Watcher watcher) {
        try {
            for (Job job = left.poll(); job != null; job = left.poll()) {
                if (!job.run(watcher)) {
                    left.clear();
                    return false;
                }
            }
            return true;
        } catch (RuntimeException | Error e) {
            left.clear();
            stop.run();
            throw e;
        }
    }

    private static boolean joined(CompletableFuture<Boolean> beside) {
        try {
            return beside.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }
}
