package dev.diva.clip;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.UnaryOperator;

/**
 * Rows that several threads bring, computed together: the thread that finds the model free takes what has gathered meanwhile, up to a batch,
 * and hands each its answer. A thread that comes alone waits for nobody.
 */
final class JointBatches {
    private final Object model;
    private final int batchSize;
    private final UnaryOperator<List<float[]>> computation;
    private final Queue<Request> waiting = new ConcurrentLinkedQueue<>();

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
     * @param computation gives an answer per row, of any number of rows
     */
    JointBatches(Object model, int batchSize, UnaryOperator<List<float[]>> computation) {
        this.model = model;
        this.batchSize = batchSize;
        this.computation = computation;
    }

    /** An answer per row; what one caller's rows make fail fails for that caller alone. */
    float[][] run(List<float[]> rows) {
        Request own = new Request(rows);
        waiting.add(own);
        synchronized (model) {
            while (!own.isDone()) {
                answer(gathered());
            }
        }
        if (own.failure != null) {
            throw own.failure;
        }
        return own.answer.toArray(float[][]::new);
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
