package dev.diva.clip;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who waits for whom, with a patience that lasts longer than any test: a thread that waits in vain never comes back. */
class JointBatchesTest {
    private static final double FOR_EVER = 1e9;
    private static final int CLIENTS = 8;
    private static final int BATCHES = 12;

    private final List<Integer> batches = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch settled = new CountDownLatch(BATCHES);

    private JointBatches joint(int batchSize) {
        return new JointBatches(new Object(), batchSize, FOR_EVER, rows -> {
            batches.add(rows.size());
            if (batches.contains(CLIENTS)) {
                settled.countDown();
            }
            return rows;
        });
    }

    @Test
    @Timeout(60)
    void clientsThatCameTogetherAreComputedTogetherAgain() throws InterruptedException {
        JointBatches joint = joint(16);
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            Thread client = new Thread(() -> {
                while (!Thread.currentThread().isInterrupted()) {
                    joint.run(List.of(new float[1]));
                }
            });
            client.setDaemon(true);
            client.start();
            clients.add(client);
        }
        assertThat(settled.await(50, TimeUnit.SECONDS)).as("all at once").isTrue();
        clients.forEach(Thread::interrupt);
        List<Integer> sizes = List.of(batches.toArray(Integer[]::new));
        int first = sizes.indexOf(CLIENTS); // threads start one after the other
        assertThat(sizes.subList(first, first + BATCHES)).containsOnly(CLIENTS);
    }

    @Test
    @Timeout(60)
    void aClientThatCameAloneWaitsForNobody() {
        JointBatches joint = joint(16);
        for (int i = 0; i < BATCHES; i++) {
            assertThat(joint.run(List.of(new float[1], new float[2]))).hasNumberOfRows(2);
        }
        assertThat(batches).containsOnly(2).hasSize(BATCHES);
    }

    @Test
    @Timeout(60)
    void aFullBatchWaitsForNobody() throws InterruptedException {
        JointBatches joint = joint(2);
        Thread other = new Thread(() -> {
            for (int i = 0; i < BATCHES; i++) {
                joint.run(List.of(new float[1], new float[1]));
            }
        });
        other.start();
        for (int i = 0; i < BATCHES; i++) {
            joint.run(List.of(new float[1], new float[1]));
        }
        other.join();
        assertThat(batches).containsOnly(2).hasSize(2 * BATCHES);
    }
}
