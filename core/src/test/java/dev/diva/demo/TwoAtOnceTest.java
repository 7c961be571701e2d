package dev.diva.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class TwoAtOnceTest {
    /** Two that wait for each other end only where both run. */
    @Test
    void twoRunAtOnce() {
        CountDownLatch both = new CountDownLatch(2);
        TwoAtOnce.Job job = watcher -> {
            both.countDown();
            await(both);
            return true;
        };
        assertThat(TwoAtOnce.run(List.of(job, job), Watcher.SILENT, () -> {})).isTrue();
    }

    @Test
    void allRunAndOneIsTold() {
        ConcurrentLinkedQueue<Integer> run = new ConcurrentLinkedQueue<>();
        List<TwoAtOnce.Job> jobs = List.of(w -> run.add(0), w -> run.add(1), w -> run.add(2), w -> run.add(3));
        assertThat(TwoAtOnce.run(jobs, Watcher.SILENT, () -> {})).isTrue();
        assertThat(run).containsExactlyInAnyOrder(0, 1, 2, 3);
    }

    /** What was stopped is not followed by another. */
    @Test
    void nothingIsBegunBehindAStop() {
        AtomicBoolean begun = new AtomicBoolean();
        CountDownLatch stopped = new CountDownLatch(1);
        TwoAtOnce.Job ends = watcher -> {
            stopped.countDown();
            return false;
        };
        TwoAtOnce.Job runs = watcher -> {
            await(stopped);
            return false;
        };
        assertThat(TwoAtOnce.run(List.of(ends, runs, watcher -> begun.getAndSet(true)), Watcher.SILENT, () -> {}))
                .isFalse();
        assertThat(begun).isFalse();
    }

    /** A failure stops the other and is told once that has ended. */
    @Test
    void failureStopsTheOther() {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch stop = new CountDownLatch(1);
        AtomicBoolean ended = new AtomicBoolean();
        TwoAtOnce.Job fails = watcher -> {
            await(begun);
            throw new IllegalStateException("broken");
        };
        TwoAtOnce.Job other = watcher -> {
            begun.countDown();
            await(stop);
            ended.set(true);
            return false;
        };
        assertThatThrownBy(() -> TwoAtOnce.run(List.of(fails, other), Watcher.SILENT, stop::countDown))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("broken");
        assertThat(ended).isTrue();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
