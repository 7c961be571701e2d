package dev.diva.engine;

import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
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

/** Products and softmax by oneDNN against fp64, on views as the layers hand them over. One rounding to bf16 is 0.004. */
class OneDnnTest {
    private static final String FP32 = "Float, 1e-6";
    private static final String BF16 = "BFloat16, 0.008";

    private PointerScope scope;

    @BeforeEach
    void open() {
        scope = new PointerScope();
        torch.manual_seed(11);
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private static void assumeKernel(ScalarType type) {
        Assumptions.assumeTrue(OneDnn.isFast(type), "this processor has no kernel");
    }

    private static Tensor doubles(Tensor x) {
        return x.to(ScalarType.Double);
    }

    /** [2, 3, tokens, width] as heads of [2, tokens, 3 * width]. */
    private static Tensor heads(ScalarType type, long tokens, long width) {
        return torch.randn(2, tokens, 3, width).to(type).transpose(1, 2);
    }

    @ParameterizedTest
    @CsvSource({FP32, BF16})
    void functionAndGradientAreThoseOfFp64(ScalarType type, double tolerance) {
        assumeKernel(type);
        for (Pointwise function : List.of(Pointwise.QUICK_GELU, Pointwise.SILU)) {
            double s = function.alpha;
            Tensor x = torch.randn(3, 37, 50).to(type).transpose(1, 2).set_requires_grad(true);
            Tensor dy = torch.randn(3, 50, 37).to(type);
            Tensor y = function.apply(x);
            y.mul(dy).sum().backward();
            Tensor exact = doubles(x).detach().set_requires_grad(true);
            Tensor expected = exact.mul(exact.mul(new Scalar(s)).sigmoid());
            expected.mul(doubles(dy)).sum().backward();
            assertCloseToLargest(y, expected, tolerance, 0);
            assertCloseToLargest(x.grad(), exact.grad(), tolerance, 0);
        }
    }

    @ParameterizedTest
    @CsvSource({FP32, BF16})
    void productOfViewsIsScaledAndWrittenIntoAView(ScalarType type, double tolerance) {
        assumeKernel(type);
        Tensor q = heads(type, 37, 20);
        Tensor k = heads(type, 29, 20);
        Tensor scores = torch.full(new long[] {2, 3, 37, 32}, new Scalar(7)).to(type);
        Product.of(q, k.transpose(2, 3)).scaled(0.25).into(scores.narrow(3, 0, 29));
        Tensor expected = doubles(q).matmul(doubles(k).transpose(2, 3)).mul(new Scalar(0.25));
        assertCloseToLargest(scores.narrow(3, 0, 29), expected, tolerance, 0);
        assertThat(scores.narrow(3, 29, 3).eq(new Scalar(7)).all().item_bool())
                .as("what lies beside the view")
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({FP32, BF16})
    void productIsAddedToAnFp32Sum(ScalarType type, double tolerance) {
        assumeKernel(type);
        Tensor weights = heads(type, 37, 29);
        Tensor gradient = heads(type, 37, 20);
        Tensor sum = torch.randn(2, 3, 29, 20);
        Tensor expected = doubles(sum)
                .add(doubles(weights).transpose(2, 3).matmul(doubles(gradient)).mul(new Scalar(0.5)));
        Product.of(weights.transpose(2, 3), gradient).scaled(0.5).addedTo(sum);
        assertCloseToLargest(sum, expected, tolerance, 0);
    }

    /** As on processors that multiply fp32 faster than bf16, with all that may lie before and come after. */
    @Test
    void widenedProductsAreThoseOfFp64() {
        Assumptions.assumeTrue(OneDnn.wideningKernel().contains("avx512"), "no AVX-512");
        Tensor q = heads(ScalarType.BFloat16, 37, 20);
        Tensor k = heads(ScalarType.BFloat16, 29, 20);
        Tensor right = doubles(q).matmul(doubles(k).transpose(2, 3));
        Tensor scores = torch.full(new long[] {2, 3, 37, 32}, new Scalar(7)).to(ScalarType.BFloat16);
        Product.of(q, k.transpose(2, 3)).scaled(0.25).widenedInto(scores.narrow(3, 0, 29));
        assertCloseToLargest(scores.narrow(3, 0, 29), right.mul(new Scalar(0.25)), 0.004, 0);
        assertThat(scores.narrow(3, 29, 3).eq(new Scalar(7)).all().item_bool()).isTrue();
        Tensor sum = torch.zeros(2, 3, 29, 37);
        Product.of(k, q.transpose(2, 3)).widenedInto(sum); // fp32: nothing of the sums is lost
        assertCloseToLargest(sum, right.transpose(2, 3), 1e-6, 0);
        Tensor bias = torch.randn(29).to(ScalarType.BFloat16);
        Tensor factors = torch.randn(37, 29);
        Tensor y = torch.empty(37, 29).to(ScalarType.BFloat16);
        Tensor a = q.select(0, 1).select(0, 2);
        Tensor b = k.select(0, 1).select(0, 2).t();
        Product.of(a, b).plus(bias).then(Pointwise.SILU).times(factors).widenedInto(y);
        Tensor expected = torch.silu(doubles(a).matmul(doubles(b)).add(doubles(bias)));
        assertCloseToLargest(y, expected.mul(doubles(factors)), 0.004, 0);
    }

    /** As gradients have them: a transposed, b as it lies, longer sums than a kernel takes at once, bytes as factors; more rows than are widened at once. */
    @Test
    void widenedGradientsAreThoseOfFp64() {
        Assumptions.assumeTrue(OneDnn.wideningKernel().contains("avx512"), "no AVX-512");
        Tensor x = torch.randn(2500, 40).to(ScalarType.BFloat16);
        Tensor dy = torch.randn(2500, 70).to(ScalarType.BFloat16);
        Tensor flags = torch.rand(70, 40).gt(new Scalar(0.5)).to(ScalarType.Byte);
        Tensor dw = torch.empty(70, 40).to(ScalarType.BFloat16);
        Product.of(dy.t(), x).times(flags).widenedInto(dw);
        assertCloseToLargest(dw, doubles(dy).t().matmul(doubles(x)).mul(doubles(flags)), 0.004, 0);
        Tensor wide = torch.randn(17, 1 << 20).to(ScalarType.BFloat16);
        Tensor column = torch.randn(1 << 20, 3).to(ScalarType.BFloat16);
        Tensor sums = torch.empty(17, 3);
        Product.of(wide, column).widenedInto(sums);
        assertCloseToLargest(sums, doubles(wide).matmul(doubles(column)), 1e-5, 0);
    }

    /** Names of kernels, those without AMX as oneDNN 3.11 gives them. */
    @ParameterizedTest
    @CsvSource({
        "brg_matmul:avx10_1_512_amx, brg_matmul:avx512_core, true, false", // Intel with AMX
        "brg_matmul:avx512_core_bf16, brg_matmul:avx512_core, true, true", // Intel whose AMX is hidden
        "brg_matmul:avx512_core_bf16, brg_matmul:avx512_core, false, false", // AMD
        "gemm:jit:bf16, brg_matmul:avx512_core, true, true", // AVX-512 without bf16
        "'', ref:any, true, false" // AVX2
    })
    void bf16IsWidenedWhereFp32IsFaster(String ofBf16, String widening, boolean isIntel, boolean isFaster) {
        assertThat(OneDnn.isFasterWidened(ofBf16, widening, isIntel)).isEqualTo(isFaster);
        assertThat(OneDnn.isFasterWidened(ScalarType.Float)).isFalse();
    }

    /** Large enough for {@link Sgemm}, where the processor is one that it is faster on. */
    @ParameterizedTest
    @CsvSource({"512, 513, 65, 1e-6", "70, 3600, 70, 2e-6"})
    void largeFp32ProductsOfViewsAreThoseOfFp64(long rows, long columns, long inner, double tolerance) {
        assumeKernel(ScalarType.Float);
        Tensor a = heads(ScalarType.Float, rows, inner);
        Tensor b = heads(ScalarType.Float, columns, inner).transpose(2, 3);
        Tensor expected = doubles(a).matmul(doubles(b));
        Tensor bias = torch.randn(columns);
        Tensor result = torch.empty(2, 3, rows, columns);
        Product.of(a, b).plus(bias).into(result);
        assertCloseToLargest(result, expected.add(doubles(bias)), tolerance, 0);
        Product.of(b.transpose(2, 3), a.transpose(2, 3)).scaled(-1.5).addedTo(result.transpose(2, 3));
        assertCloseToLargest(result, expected.mul(new Scalar(-0.5)).add(doubles(bias)), tolerance, 0);
    }

    @Test
    void whatLiesBesideTheResultOfALargeProductStays() {
        assumeKernel(ScalarType.Float);
        Tensor wide = torch.full(new long[] {600, 700}, new Scalar(7.0));
        Tensor a = torch.randn(1, 600, 90).expand(2, -1, -1);
        Tensor results = wide.view(2, 300, 700).narrow(2, 0, 690);
        Tensor b = torch.randn(2, 90, 690);
        Product.of(a.narrow(1, 0, 300), b).into(results);
        assertCloseToLargest(results, doubles(a.narrow(1, 0, 300)).matmul(doubles(b)), 1e-6, 0);
        assertThat(wide.narrow(1, 690, 10).eq(new Scalar(7)).all().item_bool()).isTrue();
    }

    /** As wide and high as those that AMX would have one of two threads compute, with all that may come after them; a view beside a rim. */
    @ParameterizedTest
    @CsvSource({FP32, BF16})
    void productsInHalvesAreThoseOfFp64(ScalarType type, double tolerance) {
        assumeKernel(type);
        Tensor a = torch.randn(770, 40).to(type);
        Tensor b = torch.randn(520, 40).to(type).t();
        Tensor bias = torch.randn(520).to(type);
        Tensor sum = torch.randn(770, 520).to(type);
        Tensor all = torch.zeros(770, 530).to(type);
        Tensor y = all.narrow(1, 5, 520);
        Tensor right = doubles(a).matmul(doubles(b));
        Product.of(a, b).plus(bias).into(y);
        assertCloseToLargest(doubles(y), right.add(doubles(bias)), tolerance, 0);
        Product.of(a, b).plus(bias).then(Pointwise.SILU).into(y);
        assertCloseToLargest(doubles(y), torch.silu(right.add(doubles(bias))), tolerance, 0);
        Product.of(a, b).scaled(0.5).into(y);
        assertCloseToLargest(doubles(y), right.mul(new Scalar(0.5)), tolerance, 0);
        y.copy_(sum);
        Product.of(a, b).addedTo(y);
        assertCloseToLargest(doubles(y), right.add(doubles(sum)), tolerance, 0);
        assertThat(all.narrow(1, 0, 5).abs().sum().item_double()).isZero();
        assertThat(all.narrow(1, 525, 5).abs().sum().item_double()).isZero();
    }

    @ParameterizedTest
    @CsvSource({FP32, BF16})
    void softmaxAndItsGradientReplaceTheirInput(ScalarType type, double tolerance) {
        assumeKernel(type);
        Tensor scores = torch.randn(2, 3, 17, 32).mul(new Scalar(3)).to(type);
        scores.narrow(3, 29, 3).fill_(new Scalar(Float.NEGATIVE_INFINITY));
        Tensor expected = doubles(scores).softmax(-1);
        Softmax.forward(scores);
        assertCloseToLargest(scores, expected, tolerance, 0);
        assertThat(scores.narrow(3, 29, 3).eq(new Scalar(0)).all().item_bool())
                .as("weight of minus infinity is zero")
                .isTrue();

        Tensor gradient = torch.randn(2, 3, 17, 32).to(type);
        Tensor weights = doubles(scores);
        Tensor product = weights.mul(doubles(gradient));
        Tensor wanted = product.sub(weights.mul(product.sum(new long[] {-1}, true, new ScalarTypeOptional())));
        Softmax.backward(scores, gradient);
        assertCloseToLargest(gradient, wanted, tolerance, 0);
    }

    @Test
    void onlyTypesWithKernelsAreFast() {
        assertThat(OneDnn.isFast(ScalarType.Double)).isFalse();
        assertThat(OneDnn.isFast(ScalarType.Half)).isFalse();
    }
}
