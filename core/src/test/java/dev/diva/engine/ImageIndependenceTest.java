package dev.diva.engine;

import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Layers at sizes at which processors without AVX-512 take other kernels: right against fp64, and an image has the same bits whatever is
 * beside it and however many threads there are.
 */
class ImageIndependenceTest {
    private static final long IMAGES = 3;
    private static final long TOKENS = 517; // not a multiple of what kernels work on
    private static final long IN = 290;
    private static final long OUT = 2048; // cut into pieces
    private static final long HEADS = 3;
    private static final long WIDTH = 64;

    private final PointerScope scope = new PointerScope();

    @BeforeEach
    void seed() {
        torch.manual_seed(5);
    }

    @AfterEach
    void close() {
        Engine.setThreads(0);
        scope.close();
    }

    /** A result and the gradients of its sum with random weights, by the inputs. */
    private static Tensor[] withGradients(UnaryOperator<Tensor[]> layer, Tensor direction, Tensor... inputs) {
        Tensor[] leaves = new Tensor[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            leaves[i] = inputs[i].detach().clone().set_requires_grad(true);
        }
        Tensor y = layer.apply(leaves)[0];
        y.mul(direction).sum().backward();
        Tensor[] all = new Tensor[1 + inputs.length];
        all[0] = y.detach();
        for (int i = 0; i < inputs.length; i++) {
            all[1 + i] = leaves[i].grad();
        }
        return all;
    }

    private static Tensor[] of(Tensor... tensors) {
        return tensors;
    }

    private static Tensor image(Tensor batch, long i) {
        return batch.narrow(0, i, 1);
    }

    private static Tensor fp64(Tensor x) {
        return x.to(ScalarType.Double);
    }

    private static void assertSame(Tensor actual, Tensor expected) {
        assertThat(actual.equal(expected)).isTrue();
    }

    @Test
    void linearLayer() {
        Tensor x = torch.randn(IMAGES, TOKENS, IN + 7).narrow(2, 0, IN); // rows with gaps
        Tensor weight = torch.randn(OUT, IN);
        Tensor bias = torch.randn(OUT);
        Tensor direction = torch.randn(IMAGES, TOKENS, OUT);
        UnaryOperator<Tensor[]> layer = in -> of(OneDnnLinear.forward(in[0], in[1], in[2]));
        Tensor[] whole = withGradients(layer, direction, x, weight, bias);

        Tensor[] right = withGradients(
                in -> of(in[0].matmul(in[1].t()).add(in[2])), fp64(direction), fp64(x), fp64(weight), fp64(bias));
        for (int i = 0; i < whole.length; i++) {
            assertCloseToLargest(whole[i], right[i], 2e-6, 0); // sums of up to 2048 products
        }
        assertSame(OneDnnLinear.forward(x, weight, bias), whole[0]);
        for (long i = 0; i < IMAGES; i++) {
            Tensor[] alone = withGradients(layer, image(direction, i), image(x, i), weight, bias);
            assertSame(alone[0], image(whole[0], i));
            assertSame(alone[1], image(whole[1], i));
        }
        for (int threads : new int[] {1, 3}) {
            Engine.setThreads(threads);
            Tensor[] other = withGradients(layer, direction, x, weight, bias);
            for (int i = 0; i < 3; i++) { // the bias's gradient is libtorch's sum
                assertSame(other[i], whole[i]);
            }
        }
    }

    private static Tensor plain(Tensor q, Tensor k, Tensor v) {
        return q.matmul(k.transpose(2, 3))
                .div(new Scalar(Math.sqrt((double) WIDTH)))
                .softmax(-1)
                .matmul(v);
    }

    private static Tensor heads(Tensor x) {
        return x.transpose(1, 2);
    }

    @Test
    void attention() {
        Tensor q = torch.randn(IMAGES, TOKENS, HEADS, WIDTH);
        Tensor k = torch.randn(IMAGES, TOKENS + 20, HEADS, WIDTH);
        Tensor v = torch.randn(IMAGES, TOKENS + 20, HEADS, WIDTH);
        Tensor direction = torch.randn(IMAGES, HEADS, TOKENS, WIDTH);
        UnaryOperator<Tensor[]> layer = in -> of(Attention.attend(heads(in[0]), heads(in[1]), heads(in[2]), false));
        Tensor[] whole = withGradients(layer, direction, q, k, v);

        Tensor[] right = withGradients(
                in -> of(plain(heads(in[0]), heads(in[1]), heads(in[2]))), fp64(direction), fp64(q), fp64(k), fp64(v));
        for (int i = 0; i < whole.length; i++) {
            assertCloseToLargest(whole[i], right[i], 5e-6, 0);
        }
        for (long i = 0; i < IMAGES; i++) {
            Tensor[] alone = withGradients(layer, image(direction, i), image(q, i), image(k, i), image(v, i));
            for (int j = 0; j < alone.length; j++) {
                assertSame(alone[j], image(whole[j], i));
            }
        }
        for (int threads : new int[] {1, 3}) {
            Engine.setThreads(threads);
            Tensor[] other = withGradients(layer, direction, q, k, v);
            for (int i = 0; i < other.length; i++) {
                assertSame(other[i], whole[i]);
            }
        }
    }
}
