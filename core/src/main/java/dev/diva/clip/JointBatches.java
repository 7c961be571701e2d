package dev.diva.clip;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * Rows that several threads bring, computed together: the thread that finds the model free takes what has gathered meanwhile, up to a batch,
 * and hands each its answer. Threads whose rows were computed together come again together: they wait a moment for each other, since the
 * first to come would otherwise have a batch of its own, and the rest the next one. A thread that came alone waits for nobody.
 */
final class JointBatches {
    /** Share of the time that a computation takes. */
    static final double PATIENCE = 0.05;

    private final Object model;
    private final int batchSize;
    private final UnaryOperator<List<float[]>> computation;
    private final double patience;
    private final Queue<Request> waiting = new ConcurrentLinkedQueue<>();
    private int expectedRows; // those that were computed last and those that had to wait for it
    private boolean comeTogether; // whether these are of several requests
    private long patienceNanos;

    private static final class Request {
        private final List<float[]> rows;
        private List<float[]> answer;
        private RuntimeException failure;

        private Request(List<float[]> rows) {
            this.rows = rows;
        }

        private boolean isDone() {
            return answer != null || failure != null;
        }
    }

    /**
     * @param model held while rows are computed
     * @param batchSize requests are put together up to so many rows
     * @param patience how long a request waits for others, as a share of the time that the last computation took
     * @param computation gives an answer per row, of any number of rows
     */
    JointBatches(Object model, int batchSize, double patience, UnaryOperator<List<float[]>> computation) {
        this.model = model;
        this.batchSize = batchSize;
        this.patience = patience;
        this.computation = computation;
    }

    /** An answer per row; what one caller's rows make fail fails for that caller alone. */
    float[][] run(List<float[]> rows) {
        Request own = new Request(rows);
        waiting.add(own);
        synchronized (model) {
            awaitOthers(own);
            while (!own.isDone()) {
                long start = System.nanoTime();
                List<Request> together = gathered();
                answer(together);
                expect(together, System.nanoTime() - start);
            }
        }
        if (own.failure != null) {
            throw own.failure;
        }
        return own.answer.toArray(float[][]::new);
    }

    /** Leaves the model to others meanwhile; whoever completes what is expected computes it. */
    private void awaitOthers(Request own) {
        long until = System.nanoTime() + patienceNanos;
        try {
            for (long left = patienceNanos; left > 0 && !own.isDone(); left = until - System.nanoTime()) {
                if (!comeTogether || rows(waiting) >= Math.min(batchSize, expectedRows)) {
                    return;
                }
                TimeUnit.NANOSECONDS.timedWait(model, left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void expect(List<Request> computed, long nanos) {
        expectedRows = rows(computed) + rows(waiting);
        comeTogether = computed.size() + waiting.size() > 1;
        patienceNanos = (long) (patience * nanos);
        model.notifyAll();
    }

    private static int rows(Collection<Request> requests) {
        return requests.stream().mapToInt(request -> request.rows.size()).sum();
    }

    private List<Request> gathered() {
        List<Request> together = new ArrayList<>();
        int rows = 0;
        for (Request next = waiting.peek();
                next != null && (together.isEmpty() || rows + next.rows.size() <= batchSize);
                next = waiting.peek()) {
            together.add(waiting.remove());
            rows += next.rows.size();
        }
        return together;
    }

    private void answer(List<Request> together) {
        try {
            List<float[]> answers = computation.apply(
                    together.stream().flatMap(request -> request.rows.stream()).toList());
            int from = 0;
            for (Request request : together) {
                int to = from + request.rows.size();
                request.answer = answers.subList(from, to);
                from = to;
            }
        } catch (RuntimeException e) {
            if (together.size() == 1) {
                together.get(0).failure = e;
            } else {
                together.forEach(request -> answer(List.of(request)));
            }
        }
    }
}
