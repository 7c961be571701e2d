package dev.diva.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.testing.Memory;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The fast attention against the plain formula in fp64, forward and backward. */
class AttentionTest {
    private PointerScope scope;

    @BeforeEach
    void open() {
        scope = new PointerScope();
        torch.manual_seed(5);
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private static Tensor plain(Tensor q, Tensor k, Tensor v, boolean causal) {
        Tensor scores = q.matmul(k.transpose(2, 3)).div(new Scalar(Math.sqrt((double) q.size(3))));
        if (causal) { // the queries are those of the last keys
            scores = scores.add(torch.full(new long[] {q.size(2), k.size(2)}, new Scalar(Double.NEGATIVE_INFINITY))
                    .triu(k.size(2) - q.size(2) + 1));
        }
        return scores.softmax(-1).matmul(v);
    }

    private static final long CHUNK_SCORES = 1L << 21;

    /** A leaf seen as the heads of [batch, tokens, heads * width], as the layers make it: not contiguous. */
    private static Tensor heads(Tensor leaf) {
        return leaf.transpose(1, 2);
    }

    private static double relativeError(Tensor actual, Tensor expected) {
        Tensor difference = actual.to(ScalarType.Double).sub(expected);
        return difference.norm().item_double() / expected.norm().item_double();
    }

    /** All images in a chunk and the last one left over; some heads of one; each head in two parts. */
    @ParameterizedTest
    @CsvSource({
        "BFloat16, 20, 3, 253, 247, false, 0.02", // relative to the norm; one rounding is 0.004
        "BFloat16, 1, 3, 1100, 1000, false, 0.02",
        "BFloat16, 1, 3, 1501, 1450, false, 0.02",
        "BFloat16, 1, 3, 1501, 1501, true, 0.02",
        "BFloat16, 1, 3, 7, 40, true, 0.02",
        "Float, 20, 3, 253, 247, false, 1e-5",
        "Float, 1, 3, 1100, 1000, false, 1e-5",
        "Float, 1, 3, 1501, 1450, false, 1e-5",
        "Float, 2, 16, 60, 77, false, 1e-5", // tokens 2 KiB apart, which are copied with AVX2
        "Float, 1, 16, 1100, 1060, false, 1e-5", // and 2 MiB in all, which are copied with AVX-512 too
        "Float, 3, 3, 77, 77, true, 1e-5",
        "Float, 3, 3, 5, 12, true, 1e-5", // behind a prefix of 7
        "Float, 1, 3, 1100, 2500, true, 1e-5",
        "Float, 1, 3, 1501, 1501, true, 1e-5"
    })
    void chunksEqualThePlainFormulaForwardAndBackward(
            ScalarType type, long images, long numHeads, long queries, long keys, boolean causal, double error) {
        Assumptions.assumeTrue(OneDnn.isFast(type), "this processor has no kernel, so libtorch's attention is taken");
        long[] queriesShape = {images, queries, numHeads, 32};
        long[] keysShape = {images, keys, numHeads, 32};
        Tensor[] low = new Tensor[3];
        Tensor[] high = new Tensor[3];
        for (int i = 0; i < 3; i++) {
            low[i] = torch.randn(i == 0 ? queriesShape : keysShape).to(type).set_requires_grad(true);
            high[i] = low[i].detach().to(ScalarType.Double).set_requires_grad(true);
        }
        Tensor direction = torch.randn(images, numHeads, queries, 32).to(type);

        Tensor fast = Attention.attend(heads(low[0]), heads(low[1]), heads(low[2]), causal, CHUNK_SCORES);
        Tensor control = plain(heads(high[0]), heads(high[1]), heads(high[2]), causal);
        fast.mul(direction).sum(new ScalarTypeOptional(ScalarType.Float)).backward();
        control.mul(direction).sum().backward();

        assertThat(relativeError(fast, control)).isLessThan(error);
        for (int i = 0; i < 3; i++) {
            assertThat(relativeError(low[i].grad(), high[i].grad())).isLessThan(error);
        }
    }

    @Test
    void onlyWhatNeedsAGradientGetsOne() {
        Tensor q = torch.randn(1, 4, 2048, 16);
        Tensor k = q.detach().clone();
        Tensor v = q.detach().clone().set_requires_grad(true);
        Attention.attend(q, k, v, false).sum().backward();
        assertThat(v.grad().defined()).isTrue();
        assertThat(k.grad().defined()).isFalse();
        // Every query's weights add up to one.
        assertThat(v.grad().sum().item_double())
                .isCloseTo(4 * 2048 * 16.0, org.assertj.core.data.Percentage.withPercentage(1));
    }

    @Test
    void memoryStaysFlatOverManyGraphs() {
        // A leaked graph would be 1.5 MB: 20 of them 30 MB.
        assertThat(Memory.growth(20, () -> {
                    Tensor q = torch.randn(1, 4, 512, 64).set_requires_grad(true);
                    Attention.attend(q, q, q, false).sum().backward();
                }))
                .isLessThan(5L << 20);
    }
}
