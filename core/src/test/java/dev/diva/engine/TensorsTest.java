package dev.diva.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

class TensorsTest {
    /** Every number of fp16 there is, its infinities and NaNs, many times over: more than are converted at once. */
    private static Tensor halves(long... shape) {
        return torch.arange(new Scalar(shape[0] * shape[1]))
                .to(ScalarType.Short)
                .view(ScalarType.Half)
                .view(shape);
    }

    @Test
    void fp16BecomesTheBitsOfBf16ThatLibtorchGives() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = halves(19, 65536);
            assertBits(Tensors.as(x, ScalarType.BFloat16), x.to(ScalarType.BFloat16));
            assertBits(Tensors.as(x.t(), ScalarType.BFloat16), x.t().to(ScalarType.BFloat16));
            assertThat(Tensors.as(x, ScalarType.Float).scalar_type().intern()).isEqualTo(ScalarType.Float);
            assertThat(Tensors.as(x, ScalarType.Half).data_ptr()).isEqualTo(x.data_ptr());
        }
    }

    @Test
    void rowsLieBehindEachOtherAndAreOfOneLength() {
        try (PointerScope scope = new PointerScope()) {
            Tensor rows = Tensors.ofRows(new float[] {1, 2, 3}, new float[] {4, 5, 6});
            assertThat(rows.shape()).containsExactly(2, 3);
            assertThat(Tensors.toFloats(rows)).containsExactly(1, 2, 3, 4, 5, 6);
            assertThatThrownBy(() -> Tensors.ofRows(new float[] {1, 2}, new float[] {3}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("row 1 has 1 values, the first has 2");
        }
    }

    private static void assertBits(Tensor actual, Tensor expected) {
        assertThat(actual.scalar_type().intern()).isEqualTo(ScalarType.BFloat16);
        Tensor isNumber = expected.isnan().logical_not();
        assertThat(actual.isnan().equal(expected.isnan())).isTrue();
        assertThat(actual.masked_select(isNumber)
                        .view(ScalarType.Short)
                        .equal(expected.masked_select(isNumber).view(ScalarType.Short)))
                .isTrue();
    }
}
