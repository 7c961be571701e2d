package dev.diva.engine;

import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.testing.OneThread;
import java.nio.LongBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(OneThread.class)
class PreparedTest {
    /** More shapes than a thread keeps, twice over: what went comes again, and each is right. */
    @Test
    void shapesBeyondThoseThatAreKeptAreSetUpAgain() {
        try (PointerScope scope = new PointerScope()) {
            int shapes = Prepared.MOST + 20;
            Tensor a = random(1, shapes, 3);
            Tensor b = random(2, 3, 2);
            Tensor expected = a.matmul(b);
            for (int round = 0; round < 2; round++) {
                for (int rows = 1; rows <= shapes; rows++) {
                    try (PointerScope each = new PointerScope()) {
                        Tensor product = OneDnnLinear.product(a.narrow(0, 0, rows), b);
                        assertCloseToLargest(product, expected.narrow(0, 0, rows), 1e-6, 0);
                    }
                }
            }
        }
    }

    /** Types, strides, what follows the sums, and the number of threads all make another kernel. */
    @Test
    void whatDiffersIsNotMistakenForTheSame() {
        try (PointerScope scope = new PointerScope()) {
            Tensor a = random(1, 4, 4);
            Tensor b = random(2, 4, 4);
            Tensor product = a.matmul(b);
            for (int round = 0; round < 2; round++) {
                assertCloseToLargest(OneDnnLinear.product(a, b), product, 1e-6, 0);
                assertCloseToLargest(OneDnnLinear.product(a.t(), b), a.t().matmul(b), 1e-6, 0);
                Tensor twice = torch.empty_like(a);
                Product.of(a, b).scaled(2).into(twice);
                assertCloseToLargest(twice, product.add(product), 1e-6, 0);
                Product.of(a, b).scaled(3).addedTo(twice);
                Tensor all = product.add(product).add(product).add(product).add(product);
                assertCloseToLargest(twice, all, 1e-6, 0);
            }
        }
        assertThat(keyOf(1)).isNotEqualTo(keyOf(2)).isEqualTo(keyOf(1));
    }

    /** A primitive may write to memory of the thread that made it. */
    @Test
    void threadsShareNone() throws InterruptedException {
        AtomicInteger setUps = new AtomicInteger();
        Runnable use = () -> {
            for (int i = 0; i < 2; i++) {
                Prepared.of(Prepared.key(-1), () -> {
                    setUps.incrementAndGet();
                    return Prepared.NONE;
                });
            }
        };
        for (int i = 0; i < 2; i++) {
            Thread thread = new Thread(use);
            thread.start();
            thread.join();
        }
        assertThat(setUps).hasValue(2);
    }

    private static LongBuffer keyOf(int threads) {
        torch.set_num_threads(threads);
        LongBuffer key = Prepared.key(dnnl.dnnl_matmul).flip();
        torch.set_num_threads(1);
        return key;
    }

    private static Tensor random(long seed, long... shape) {
        torch.manual_seed(seed);
        return torch.randn(shape);
    }
}
