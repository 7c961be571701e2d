package dev.diva.engine;

import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rounding and products of whole numbers against the same arithmetic in Java, whose sums are exact. */
class Int8LinearTest {
    private static final int ROWS = 6;
    private static final int IN = 301;
    private static final int OUT = 17;

    private final Random random = new Random(5);
    private PointerScope scope;

    @BeforeEach
    void open() {
        scope = new PointerScope();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    /** Rows of Java, rounded as the documentation says. */
    private record Rounded(int[][] values, float[] scales) {
        static Rounded of(float[] x, int width) {
            int[][] values = new int[x.length / width][width];
            float[] scales = new float[values.length];
            for (int row = 0; row < values.length; row++) {
                float largest = 0;
                for (int i = 0; i < width; i++) {
                    largest = Math.max(largest, Math.abs(x[row * width + i]));
                }
                scales[row] = Math.max(Float.MIN_NORMAL, largest / 127);
                for (int i = 0; i < width; i++) {
                    values[row][i] = (int) Math.rint(x[row * width + i] / scales[row]);
                }
            }
            return new Rounded(values, scales);
        }

        long dot(int row, Rounded other, int column) {
            long sum = 0;
            for (int i = 0; i < values[row].length; i++) {
                sum += (long) values[row][i] * other.values[column][i];
            }
            return sum;
        }
    }

    /** Rows of very different size; one of them is zero, in one every number is the largest. */
    private float[] numbers(int rows, int width) {
        float[] x = new float[rows * width];
        for (int i = 0; i < x.length; i++) {
            int row = i / width;
            float size = (float) Math.pow(10, row % 5 - 2);
            x[i] = row == 1 ? 0 : row == 2 ? size * (i % 3 == 0 ? -1 : 1) : size * (float) random.nextGaussian();
        }
        return x;
    }

    @ParameterizedTest
    @ValueSource(strings = {"Float", "BFloat16"})
    void everyRowIsRoundedToWholePartsOfItsLargest(ScalarType type) {
        Tensor x = Tensors.of(numbers(ROWS, IN), ROWS, IN).to(type);
        Rounded expected = Rounded.of(Tensors.toFloats(x), IN);
        Int8Rows rows = Int8Rows.of(x);
        assertThat(Tensors.toFloats(rows.scales())).containsExactly(expected.scales);
        byte[] values = new byte[ROWS * IN];
        new BytePointer(rows.values().data_ptr()).get(values);
        for (int i = 0; i < values.length; i++) {
            assertThat((int) values[i]).as("number " + i).isEqualTo(expected.values[i / IN][i % IN]);
        }
    }

    /** More numbers than are compared at once, of a width that fills words of eight bytes and one that does not. */
    @ParameterizedTest
    @CsvSource({"Float, 500", "Float, 501", "BFloat16, 500", "BFloat16, 501", "BFloat16, 502"})
    void largestOfManyRowsAreFound(ScalarType type, long width) {
        Tensor x = torch.randn(1100, width).to(type);
        Int8Rows rows = Int8Rows.of(x);
        Tensor real = x.to(ScalarType.Float);
        Tensor scales = real.abs().amax(new long[] {1}, true).div(new Scalar(127));
        assertThat(rows.scales().equal(scales)).isTrue();
        Tensor off =
                rows.values().to(ScalarType.Float).mul(scales).sub(real).abs().div(scales);
        assertThat(off.max().item_float()).isBetween(0.45f, 0.50002f);
    }

    @ParameterizedTest
    @CsvSource({"6, Float", "1, Float", "6, BFloat16", "130, Float"})
    void productIsTheExactSumOfWholeNumbersTimesBothScales(int rows, ScalarType type) {
        int images = rows % 2 == 0 ? 2 : 1;
        Tensor x = Tensors.of(numbers(rows, IN), images, rows / images, IN).to(type);
        float[] weight = numbers(OUT, IN);
        Tensor bias = Tensors.of(numbers(1, OUT), OUT);
        Rounded left = Rounded.of(Tensors.toFloats(x), IN);
        Rounded right = Rounded.of(weight, IN);
        double[] sums = new double[rows * OUT];
        for (int i = 0; i < sums.length; i++) {
            int row = i / OUT;
            int column = i % OUT;
            sums[i] = (double) left.dot(row, right, column) * left.scales[row] * right.scales[column]
                    + Tensors.toFloats(bias)[column];
        }
        Tensor y = Int8Linear.forward(x, Int8Weight.of(Tensors.of(weight, OUT, IN)), bias, null);
        double tolerance = type == ScalarType.Float ? 1e-6 : 0.004; // one rounding
        for (int row = 0; row < rows; row++) {
            float[] expected = new float[OUT];
            for (int column = 0; column < OUT; column++) {
                expected[column] = (float) sums[row * OUT + column];
            }
            assertCloseToLargest(y.reshape(rows, OUT).select(0, row), Tensors.of(expected, OUT), tolerance, 0);
        }
    }

    @Test
    void functionFollowsTheBias() {
        Tensor x = Tensors.of(numbers(ROWS, IN), ROWS, IN);
        Int8Weight weight = Int8Weight.of(Tensors.of(numbers(OUT, IN), OUT, IN));
        Tensor bias = Tensors.of(numbers(1, OUT), OUT);
        Tensor plain = Int8Linear.forward(x, weight, bias, null);
        Tensor silu = Int8Linear.forward(x, weight, bias, Pointwise.SILU);
        assertCloseToLargest(silu, plain.mul(plain.sigmoid()), 1e-5, 0);
    }

    @Test
    void brokenNumberBreaksItsRowAlone() {
        float[] numbers = numbers(ROWS, IN);
        numbers[3 * IN + 7] = Float.NaN;
        numbers[4 * IN] = Float.POSITIVE_INFINITY;
        Int8Weight weight = Int8Weight.of(Tensors.of(numbers(OUT, IN), OUT, IN));
        Tensor y = Int8Linear.forward(Tensors.of(numbers, ROWS, IN), weight, null, null);
        for (int row = 0; row < ROWS; row++) {
            boolean isBroken = row == 3 || row == 4;
            assertThat(y.select(0, row).isfinite().all().item_bool())
                    .as("row " + row)
                    .isEqualTo(!isBroken);
        }
    }

    @Test
    void machineWithoutInstructionsRefusesInOneLine() {
        if (Int8Linear.isFast()) {
            Int8Linear.require();
        } else {
            assertThatThrownBy(Int8Linear::require)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("VNNI")
                    .hasMessageContaining("take ");
        }
    }

    @Test
    void graphicsCardIsRefused() {
        Device card = new Device(DeviceType.CUDA);
        assertThatThrownBy(() -> new Placement(card, Precision.INT8, Activations.KEPT))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("processor alone");
    }
}
