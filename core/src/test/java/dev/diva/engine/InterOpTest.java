package dev.diva.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class InterOpTest {
    private int threadsBefore;

    @BeforeEach
    void takeTwoThreads() {
        threadsBefore = Engine.threads();
        Engine.setThreads(2);
    }

    @AfterEach
    void giveBack() {
        Engine.setThreads(threadsBefore);
    }

    /** Five by two threads: four alone, each with one thread of libtorch; the last is shared by both. */
    @Test
    void everyThreadComputesAloneAndWhatIsLeftIsShared() {
        int[] threads = new int[5];
        Set<Thread> workers = ConcurrentHashMap.newKeySet();
        try (PointerScope scope = new PointerScope()) {
            List<Tensor> results = InterOp.compute(5, i -> {
                threads[i] = Engine.threads();
                workers.add(Thread.currentThread());
                assertThat(i < 4 && GradMode.is_enabled()).isFalse();
                return torch.ones(2).mul(torch.ones(1).mul_(new Scalar(i)));
            });
            assertThat(results).hasSize(5);
            for (int i = 0; i < 5; i++) {
                assertThat(Tensors.toFloats(results.get(i))).containsExactly(i, i);
            }
        }
        assertThat(threads).containsExactly(1, 1, 1, 1, 2);
        assertThat(workers).contains(Thread.currentThread()).hasSizeGreaterThan(1);
        assertThat(Engine.threads()).isEqualTo(2);
    }

    @Test
    void whatFailsIsToldAsItIsAndTheNextRunWorks() {
        assertThatThrownBy(() -> InterOp.compute(2, i -> {
                    throw new IllegalStateException("picture " + i);
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("picture");
        try (PointerScope scope = new PointerScope()) {
            assertThat(InterOp.compute(2, i -> torch.ones(1))).hasSize(2);
        }
    }

    @Test
    void newNumberOfThreadsHolds() {
        Engine.setThreads(3);
        int[] threads = new int[3];
        try (PointerScope scope = new PointerScope()) {
            InterOp.compute(3, i -> {
                threads[i] = Engine.threads();
                return torch.ones(1);
            });
        }
        assertThat(threads).containsExactly(1, 1, 1);
        assertThat(Engine.threads()).isEqualTo(3);
    }
}
